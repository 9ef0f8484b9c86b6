package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/ncruces/go-sqlite3/driver"
	"github.com/ncruces/go-sqlite3/vfs/mvcc"
)

var update = flag.Bool("update", false, "write the database that those in memory start as")

// TestEmptyDatabase compares the file that databases in memory start as with
// the result of the migrations.
func TestEmptyDatabase(t *testing.T) {
	t.Parallel()
	const migrated, embedded = "/rollcall-migrated.db", "/rollcall-embedded.db"
	mvcc.Create(migrated[1:], mvcc.Snapshot{})
	defer mvcc.Delete(migrated[1:])
	want := openNamed(t, migrated)
	if err := migrateUp(context.Background(), sqliteDialect, want, newestSchema(), nil); err != nil {
		t.Fatal(err)
	}
	if *update {
		// The same migrations give the same file, whenever it is written.
		const timeless = "UPDATE goose_db_version SET tstamp = '2026-01-01 00:00:00'"
		for _, statement := range []string{timeless, "VACUUM"} {
			if _, err := want.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile("empty.db", withoutZeros(pages(migrated[1:])), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	mvcc.Create(embedded[1:], emptySchema())
	defer mvcc.Delete(embedded[1:])
	got := openNamed(t, embedded)
	for _, query := range []string{
		"SELECT type, name, sql FROM sqlite_schema ORDER BY type, name",
		"SELECT version_id, is_applied, '' FROM goose_db_version ORDER BY id",
	} {
		if got, want := rowsOf(t, got, query), rowsOf(t, want, query); !slices.Equal(got, want) {
			t.Errorf("the database that those in memory start as differs from the result of the migrations: "+
				"write it again with 'go test ./internal/store -run TestEmptyDatabase -update'\n%q\nwant\n%q", got, want)
		}
	}
	if damage := rowsOf(t, got, "SELECT integrity_check, '', '' FROM pragma_integrity_check"); damage[0] != "ok||" {
		t.Error(damage)
	}
}

func openNamed(t *testing.T, name string) *sql.DB {
	t.Helper()
	db, err := driver.Open("file:" + name + "?vfs=mvcc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	return db
}

// pages returns the bytes of a database in memory.
func pages(name string) (all []byte) {
	for at, page := range mvcc.TakeSnapshot(name).Ascend() {
		all = append(append(all, make([]byte, max(0, int(at)-len(all)))...), page...)
	}
	return all
}

// withoutZeros returns a database as it is in the program: without the zeros at the
// ends of its pages. The last page keeps them, because the file ends with it.
func withoutZeros(all []byte) (packed []byte) {
	size := int(binary.BigEndian.Uint16(all[16:]))
	for at := 0; at < len(all); at += size {
		page := all[at : at+size]
		if at+size < len(all) {
			page = bytes.TrimRight(page, "\x00")
		}
		packed = binary.LittleEndian.AppendUint32(packed, uint32(at))
		packed = binary.LittleEndian.AppendUint32(packed, uint32(len(page)))
		packed = append(packed, page...)
	}
	return packed
}

func rowsOf(t *testing.T, db *sql.DB, query string) (all []string) {
	t.Helper()
	r, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for r.Next() {
		var a, b string
		var c sql.NullString
		if err := r.Scan(&a, &b, &c); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s|%s|%s", a, b, c.String))
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

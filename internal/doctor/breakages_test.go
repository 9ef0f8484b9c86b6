package doctor_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/klauspost/compress/zstd"

	"rollcall/internal/doctor"
	"rollcall/internal/seal"
	"rollcall/internal/service"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	try(t, map[string]breakage{
		"directory open to others": {func(t *testing.T, c *doctor.Config) { check(t, os.Chmod(c.Data, 0o750)) },
			"data directory", doctor.Fault, "is open to others (mode 0750)"},
		"database open to others": {func(t *testing.T, c *doctor.Config) { check(t, os.Chmod(c.Store.Path, 0o604)) },
			"file rollcall.db", doctor.Warning, "is open to others (mode 0604)"},
		"trail open to others": {func(t *testing.T, c *doctor.Config) { check(t, os.Chmod(c.Trail, 0o620)) },
			"file trail.jsonl", doctor.Warning, "is open to others (mode 0620)"},
	})
}

func TestDatabase(t *testing.T) {
	t.Parallel()
	try(t, map[string]breakage{
		"missing": {func(t *testing.T, c *doctor.Config) { check(t, os.Remove(c.Store.Path)) },
			"database", doctor.Fault, "there is no database at "},
		"no database": {func(t *testing.T, c *doctor.Config) {
			check(t, os.WriteFile(c.Store.Path, bytes.Repeat([]byte("garbage "), 1000), 0o600))
		}, "database", doctor.Fault, "file is not a database"},
		"damaged": {func(t *testing.T, c *doctor.Config) {
			f, err := os.OpenFile(c.Store.Path, os.O_RDWR, 0)
			check(t, err)
			defer f.Close()
			info, err := f.Stat()
			check(t, err)
			_, err = f.WriteAt(make([]byte, 2048), info.Size()-4096)
			check(t, err)
		}, "database", doctor.Fault, "disk image is malformed"},
		"log that nobody read": {func(t *testing.T, c *doctor.Config) {
			check(t, os.WriteFile(c.Store.Path+"-wal", make([]byte, 32), 0o600))
		}, "database", doctor.Warning, "a log of 32 bytes beside the file"},
		"later schema": {func(t *testing.T, c *doctor.Config) {
			execute(t, *c, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
		}, "schema", doctor.Fault, "a later version of rollcall wrote the data: schema 9999"},
		"empty": {func(t *testing.T, c *doctor.Config) {
			check(t, os.WriteFile(c.Store.Path, nil, 0o600))
			check(t, os.Remove(c.Trail))
		}, "schema", doctor.Warning, "the database is empty"},
	})
}

// A database of an earlier schema is read and not migrated.
func TestEarlierSchema(t *testing.T) {
	t.Parallel()
	const folder = "../store/testdata/schemas/00013/"
	c := installation(t, sqlite)
	packed, err := os.ReadFile(folder + "rollcall.db.zst")
	check(t, err)
	decoder, err := zstd.NewReader(nil)
	check(t, err)
	defer decoder.Close()
	text, err := decoder.DecodeAll(packed, nil)
	check(t, err)
	check(t, os.WriteFile(c.Store.Path, text, 0o600))
	key, err := os.ReadFile(folder + "master.key")
	check(t, err)
	check(t, os.WriteFile(c.MasterFile, key, 0o600))
	check(t, os.Remove(c.Trail))
	expect(t, c, "schema", doctor.Warning, "schema 13; the first start of this version will change it to ")
	after, err := os.ReadFile(c.Store.Path)
	check(t, err)
	if !bytes.Equal(text, after) {
		t.Error("the database was changed")
	}
}

func TestMasterKey(t *testing.T) {
	t.Parallel()
	const name = "master key"
	try(t, map[string]breakage{
		"missing": {func(t *testing.T, c *doctor.Config) { check(t, os.Remove(c.MasterFile)) },
			name, doctor.Fault, "is missing, and without it no secret can be read"},
		"of another installation": {func(t *testing.T, c *doctor.Config) {
			check(t, os.Remove(c.MasterFile))
			_, err := seal.CreateMasterKeys(t.Context(), c.MasterFile)
			check(t, err)
		}, name, doctor.Fault, seal.ErrWrongMasterKey.Error()},
		"no key": {func(t *testing.T, c *doctor.Config) {
			check(t, os.WriteFile(c.MasterFile, []byte("hunter2"), 0o600))
		}, name, doctor.Fault, "it is not a master key file"},
		"rotation that did not end": {func(t *testing.T, c *doctor.Config) {
			keys, err := seal.LoadMasterKeys(c.MasterFile)
			check(t, err)
			check(t, keys.AddNew(t.Context()))
		}, name, doctor.Warning, "a rotation from mk-"},
	})
}

func TestTrail(t *testing.T) {
	t.Parallel()
	try(t, map[string]breakage{
		"off": {func(_ *testing.T, c *doctor.Config) { c.Trail = "off" },
			"trail", doctor.Warning, "nothing is recorded"},
		"no folder": {func(_ *testing.T, c *doctor.Config) { c.Trail = filepath.Join(c.Data, "none", "trail") },
			"trail", doctor.Fault, "it cannot be written, so changes are refused: "},
		"cut off": {func(t *testing.T, c *doctor.Config) { cut(t, c.Trail, 1) },
			"trail", doctor.Fault, "record 4 of chain "},
		"cut off further": {func(t *testing.T, c *doctor.Config) { cut(t, c.Trail, 3) },
			"trail", doctor.Fault, "records 2 to 4 of chain "},
		"deleted": {func(t *testing.T, c *doctor.Config) {
			start(t, *c, func(*service.Service) {}) // at this place
			check(t, os.Remove(c.Trail))
		},
			"trail", doctor.Fault, "which the database knows, are in no file here"},
		"forged end": {func(t *testing.T, c *doctor.Config) {
			execute(t, *c, "UPDATE trail_heads SET seq = 1")
		}, "trail", doctor.Fault, "what the database knows of the trail's end was changed"},
		"a folder": {func(_ *testing.T, c *doctor.Config) { c.Trail = c.Data },
			"trail", doctor.Fault, "is a directory"},
		"no collector": {func(_ *testing.T, c *doctor.Config) { c.Trail = "unix://" + c.Data + "/none.sock" },
			"trail", doctor.Fault, "it cannot be written"},
		"changed": {func(t *testing.T, c *doctor.Config) {
			text, err := os.ReadFile(c.Trail)
			check(t, err)
			check(t, os.WriteFile(c.Trail, bytes.Replace(text, []byte("Event1"), []byte("Event7"), 1), 0o600))
		}, "trail", doctor.Fault, "this record was changed"},
	})
}

// Only the end of a long trail is read, even if it begins in the middle of a
// line.
func TestLongTrail(t *testing.T) {
	t.Parallel()
	c := installation(t, sqlite)
	text, err := os.ReadFile(c.Trail)
	check(t, err)
	first := append(bytes.Repeat([]byte("x"), 17<<20), '\n')
	check(t, os.WriteFile(c.Trail, append(first, text[bytes.IndexByte(text, '\n')+1:]...), 0o600))
	found := doctor.Examine(t.Context(), c)
	if doctor.Worst(found) != doctor.OK {
		t.Errorf("%+v", found)
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	try(t, map[string]breakage{
		"database behind": {func(_ *testing.T, c *doctor.Config) {
			c.Store.Now = func() time.Time { return time.Now().Add(time.Hour) }
		}, "clock", doctor.Fault, "the database's clock differs by -"},
		"database ahead": {func(_ *testing.T, c *doctor.Config) {
			c.Store.Now = func() time.Time { return time.Now().Add(-10 * time.Second) }
		}, "clock", doctor.Warning, "the database's clock differs by "},
		"file of the future": {func(t *testing.T, c *doctor.Config) {
			check(t, os.Chtimes(c.Trail, time.Time{}, time.Now().Add(time.Hour)))
		}, "clock", doctor.Warning, " in the future"},
		"report of the future": {func(t *testing.T, c *doctor.Config) {
			execute(t, *c, `INSERT INTO reports (account, token, generated, published_ms, size, users, sha256)
				VALUES ('123456789012', 1, 4000000000, 4000000000000, 0, 0, '')`)
		}, "clock", doctor.Fault, "the newest credential report is of 2096-10-02"},
	})
}

func TestDisk(t *testing.T) {
	t.Parallel()
	disk := func(room doctor.Room, result doctor.Result, text string) {
		c := installation(t, sqlite)
		c.Room = room
		expect(t, c, "disk of "+c.Data, result, text)
	}
	const much = 1 << 62
	disk(doctor.Room{Least: much, Enough: much}, doctor.Fault, " are free")
	disk(doctor.Room{Least: 1, Enough: much}, doctor.Warning, " are free")
	disk(doctor.Room{LeastInodes: much}, doctor.Fault, " inodes are free")
	disk(doctor.Room{EnoughInodes: much}, doctor.Warning, " inodes are free")
}

func TestMemory(t *testing.T) {
	t.Parallel()
	try(t, map[string]breakage{
		"small": {func(_ *testing.T, c *doctor.Config) {
			c.Root = fstest.MapFS{"proc/meminfo": {Data: []byte("MemTotal:  65536 kB\n")}}
		}, "memory", doctor.Warning, "67.1 MB are granted"},
	})
}

// Where nothing was installed, nothing is created.
func TestNewInstallation(t *testing.T) {
	t.Parallel()
	c := installation(t, sqlite)
	c.Data = filepath.Join(c.Data, "none")
	c.Store.Path, c.MasterFile, c.Trail = c.Data+"/rollcall.db", c.Data+"/master.key", "-"
	faults := 0
	for _, f := range doctor.Examine(t.Context(), c) {
		if f.Result == doctor.Fault {
			faults++
		}
	}
	if faults != 2 { // the directory, and the database
		t.Errorf("%d faults", faults)
	}
	if _, err := os.Stat(c.Data); err == nil {
		t.Error("the directory was created")
	}
}

// cut takes the last lines from a file.
func cut(t *testing.T, path string, lines int) {
	t.Helper()
	text, err := os.ReadFile(path)
	check(t, err)
	all := bytes.SplitAfter(bytes.TrimSuffix(text, []byte{'\n'}), []byte{'\n'})
	check(t, os.WriteFile(path, bytes.Join(all[:len(all)-lines], nil), 0o600))
}

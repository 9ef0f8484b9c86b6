package store

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"

	"rollcall/internal/seal"
)

// A backup is every row of every table on one snapshot, in a format that is
// independent of the engine: a backup of SQLite can be restored into
// PostgreSQL, and the reverse. The file is
//
//	backupMagic, one line
//	zstd of records, each a length and as many bytes, the first their kind:
//	  H  a header, JSON
//	  T  a table and its columns, JSON; its rows follow
//	  R  a row: numbers as varints, texts and bytes after their length
//	  E  the end: SHA-256 of all records before it, then a proof of that sum,
//	     which only the holder of the master key can compute
//
// Nothing comes after the end. Secrets are in it as the store has them, sealed
// or hashed. The proof is an HMAC under a key derived from the first data key,
// which is in the backup, wrapped by the master key: a backup can be verified
// before there is a store to restore it into.

// backupMagic ends with the version of the format. Backups of format 1 have no
// proof.
const (
	backupName   = "rollcall-backup "
	backupForm   = "2"
	backupMagic  = backupName + backupForm + "\n"
	unprovenForm = "1"
)

// backupProof names the purpose of the proof's key; the other constant is its
// length.
const (
	backupProof     = "backup"
	backupProofSize = sha256.Size
)

// maxBackupRecord limits a record, so a damaged length takes no memory. The
// longest records, pieces of reports, are far below it.
const maxBackupRecord = 32 << 20

var (
	// ErrBadBackup reports that a file is not a complete backup.
	ErrBadBackup = errors.New("not a whole backup")
	// ErrUnverified reports that a backup may have been changed: it has no
	// proof, or its proof is wrong.
	ErrUnverified = errors.New("the backup cannot be verified")
	// ErrNotEmpty reports that a store has accounts, and should not be
	// replaced.
	ErrNotEmpty = errors.New("the store is not empty")
)

// BackupInfo holds what a backup says about itself.
type BackupInfo struct {
	Taken  time.Time // to the second
	Engine string    // of the store it was taken from
	Schema int       // version of the schema
	// Verified says that the proof shows that nobody has changed the backup.
	Verified bool

	Accounts, Users, Rows int64 // users without roots; all rows
}

type backupHeader struct {
	Taken  time.Time `json:"taken"`
	Engine string    `json:"engine"`
	Schema int       `json:"schema"`
}

// Backup writes a backup of the whole store to w, from one snapshot, in bounded
// memory, while the store is used. master is the store's master key; nil makes
// a backup without a proof, for an immediate copy.
func (db *DB) Backup(ctx context.Context, w io.Writer, master *seal.MasterKeys) (BackupInfo, error) {
	var info BackupInfo
	err := db.View(Patiently(ctx, 0), func(tx *Tx) (err error) {
		info, err = backup(tx, w, master)
		return err
	})
	if err != nil {
		return info, fmt.Errorf("back up store: %w", err)
	}
	return info, nil
}

func backup(tx *Tx, w io.Writer, master *seal.MasterKeys) (BackupInfo, error) {
	// The snapshot is that of the first statement: it comes before any output.
	prove, form, err := prover(tx, master)
	if err != nil {
		return BackupInfo{}, err
	}
	info := BackupInfo{Taken: tx.Now.UTC().Truncate(time.Second), Engine: tx.dialect.name, Schema: int(newestSchema()),
		Verified: form == backupForm}
	if _, err := io.WriteString(w, backupName+form+"\n"); err != nil {
		return info, err
	}
	pack, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return info, err
	}
	out := &backupWriter{w: bufio.NewWriterSize(pack, 64<<10), sum: sha256.New()}
	out.json('H', backupHeader{info.Taken, info.Engine, info.Schema})
	for _, t := range backupTables() {
		out.json('T', t)
		n, err := out.rows(tx, t)
		if err != nil {
			return info, err
		}
		info.count(t.Name, n)
	}
	sum := out.sum.Sum([]byte{'E'})
	out.record(append(sum, prove(sum[1:])...))
	return info, errors.Join(out.err, out.w.Flush(), pack.Close())
}

// prover computes the proof of a backup's sum, and names the format that has
// it.
func prover(tx *Tx, master *seal.MasterKeys) (prove func(sum []byte) []byte, form string, err error) {
	wrapped, err := tx.DataKeys()
	if err != nil || master == nil {
		return func([]byte) []byte { return nil }, unprovenForm, err
	}
	keys, err := seal.NewKeyring(master, wrapped)
	if err != nil {
		return nil, "", err
	}
	return func(sum []byte) []byte { return keys.MAC(backupProof, sum) }, backupForm, nil
}

func (info *BackupInfo) count(table string, rows int64) {
	info.Rows += rows
	switch table {
	case "accounts":
		info.Accounts += rows
		info.Users -= rows
	case "users":
		info.Users += rows
	}
}

// backupWriter writes records; after an error it writes nothing more.
type backupWriter struct {
	w   *bufio.Writer
	sum hash.Hash
	buf []byte
	err error
}

func (b *backupWriter) record(payload []byte) {
	if b.err != nil {
		return
	}
	b.sum.Write(payload)
	if _, b.err = b.w.Write(binary.AppendUvarint(nil, uint64(len(payload)))); b.err == nil {
		_, b.err = b.w.Write(payload)
	}
}

func (b *backupWriter) json(kind byte, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		b.err = err
	}
	b.record(append([]byte{kind}, text...))
}

func (b *backupWriter) rows(tx *Tx, t backupTable) (n int64, err error) {
	r, err := tx.c.query(tx.ctx, t.selectSQL(), nil)
	if err != nil {
		return 0, err
	}
	defer r.close()
	cells := newCells(t)
	for r.next() {
		if err := r.scan(cells.dest...); err != nil {
			return n, err
		}
		b.buf = cells.append(append(b.buf[:0], 'R'))
		if b.record(b.buf); b.err != nil {
			return n, b.err
		}
		n++
	}
	return n, r.err()
}

// cells are the variables that a table's row is read into.
type cells struct {
	kinds []cellKind
	dest  []any
}

func newCells(t backupTable) *cells {
	c := &cells{}
	for _, column := range t.Columns {
		c.kinds = append(c.kinds, column.Kind)
		switch column.Kind {
		case numberCell:
			c.dest = append(c.dest, new(int64))
		case bytesCell:
			c.dest = append(c.dest, new([]byte))
		case optionalCell:
			c.dest = append(c.dest, new(bool), new(string))
		default:
			c.dest = append(c.dest, new(string))
		}
	}
	return c
}

func (c *cells) append(b []byte) []byte {
	for _, d := range c.dest {
		switch d := d.(type) {
		case *int64:
			b = binary.AppendVarint(b, *d)
		case *[]byte:
			b = append(binary.AppendUvarint(b, uint64(len(*d))), *d...)
		case *string:
			b = append(binary.AppendUvarint(b, uint64(len(*d))), *d...)
		case *bool:
			if *d {
				b = append(b, 1)
			} else {
				b = append(b, 0)
			}
		}
	}
	return b
}

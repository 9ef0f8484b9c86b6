package store

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"

	"rollcall/internal/seal"
)

// CheckBackup reads a backup to its end. The error wraps ErrBadBackup if it is
// damaged, cut short, or from a newer version, and ErrUnverified if the master
// key does not prove that it is unchanged. Without a master key it does not
// check that.
func CheckBackup(r io.Reader, master *seal.MasterKeys) (BackupInfo, error) {
	b := backupReader{begin: func(*backupTable) error { return nil },
		row: func([]any) error { return nil }, master: master}
	err := b.read(r)
	return b.info, err
}

// Restore replaces the content of the store by the backup in r, in one
// transaction: afterwards it has the whole backup, or nothing has changed. For
// a store with accounts the error is ErrNotEmpty, unless replace is set. r is
// read twice or more, the first time to check that it is complete
// (ErrBadBackup). It is verified by the master key each time; nil restores it
// unverified.
//
// Report jobs that were running are not resumed.
func (db *DB) Restore(ctx context.Context, r io.ReadSeeker, replace bool, master *seal.MasterKeys) (BackupInfo, error) {
	info, err := CheckBackup(r, master)
	if err == nil {
		// A transaction may be repeated, so each attempt starts from the
		// beginning.
		err = db.Update(Patiently(ctx, 0), func(tx *Tx) error {
			if _, err := r.Seek(0, io.SeekStart); err != nil {
				return err
			}
			return tx.restore(r, replace, master)
		})
	}
	if err != nil {
		return info, fmt.Errorf("restore store: %w", err)
	}
	return info, nil
}

func (tx *Tx) restore(r io.Reader, replace bool, master *seal.MasterKeys) error {
	if !replace {
		accounts, err := tx.Accounts("", 1)
		if err != nil {
			return err
		}
		if len(accounts) > 0 {
			return ErrNotEmpty
		}
	}
	keys, err := tx.DataKeys()
	if err != nil {
		return err
	}
	// Without recordings, what follows marks nobody.
	tables := []string{"report_recordings", "report_marks"}
	for _, t := range slices.Backward(backupTables()) {
		tables = append(tables, t.Name)
	}
	for _, t := range tables {
		if _, err := tx.exec("DELETE FROM " + t); err != nil {
			return err
		}
	}
	in := &inserter{tx: tx}
	b := backupReader{begin: in.begin, row: in.row, master: master}
	if err := b.read(r); err != nil {
		return err
	}
	if err := in.flush(); err != nil {
		return err
	}
	for _, sql := range []string{
		// Running nodes know reports that came after the backup by their tokens.
		`UPDATE report_jobs SET running = 0, token = token + ` + strconv.FormatInt(1<<20+rand.Int64N(1<<40), 10),
		// The keys sealed an unknown number of messages after the backup.
		`UPDATE data_keys SET sealed = sealed + ` + strconv.Itoa(seal.MessagesPerKey),
		// Backups of earlier versions know no bases.
		`UPDATE reports SET base = token WHERE base = 0`,
		`INSERT INTO report_bases (account, token) SELECT account, token FROM report_chunks WHERE seq = 0
			ON CONFLICT DO NOTHING`,
		tx.analyze,
	} {
		if sql == "" {
			continue
		}
		if _, err := tx.exec(sql); err != nil {
			return err
		}
	}
	return tx.restored(keys)
}

// restored forgets the heads of the trail unless the first data key, by which
// they are proven, is still the same.
func (tx *Tx) restored(before []seal.WrappedKey) error {
	keys, err := tx.DataKeys()
	if err != nil || len(keys) > 0 && len(before) > 0 && keys[0].ID == before[0].ID {
		return err
	}
	_, err = tx.exec(`DELETE FROM trail_heads`)
	return err
}

// inserter collects rows of one table into batches.
type inserter struct {
	tx   *Tx
	sql  string
	args [][]any
	size int // number of bytes in args
}

// These limit one batch.
const (
	insertRows  = 1000
	insertBytes = 8 << 20
)

func (in *inserter) begin(t *backupTable) error {
	err := in.flush()
	in.sql = t.insertSQL()
	return err
}

func (in *inserter) row(args []any) error {
	in.args = append(in.args, args)
	for _, a := range args {
		switch a := a.(type) {
		case string:
			in.size += len(a)
		case []byte:
			in.size += len(a)
		}
	}
	if len(in.args) < insertRows && in.size < insertBytes {
		return nil
	}
	return in.flush()
}

func (in *inserter) flush() error {
	if len(in.args) == 0 {
		return nil
	}
	err := in.tx.c.execMany(in.tx.ctx, in.sql, in.args)
	in.args, in.size = in.args[:0], 0
	return err
}

// backupReader reads records. It returns an error unless all records are
// present.
type backupReader struct {
	begin func(*backupTable) error // a table begins
	row   func([]any) error        // a row of it, as arguments of its INSERT
	info  BackupInfo
	// master verifies the proof; nil asks for none.
	master *seal.MasterKeys
	rows   []dataKeyRow // of the backup
	form   string

	r   *bufio.Reader
	sum hash.Hash
	buf []byte
}

func badBackup(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrBadBackup, fmt.Sprintf(format, args...))
}

func (b *backupReader) read(r io.Reader) error {
	form, err := readMagic(r)
	if err != nil {
		return err
	}
	unpack, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20))
	if err != nil {
		return badBackup("%v", err)
	}
	defer unpack.Close()
	b.r, b.sum, b.info = bufio.NewReaderSize(unpack, 64<<10), sha256.New(), BackupInfo{}
	b.form, b.rows = form, nil
	first, err := b.record('H')
	if err != nil {
		return err
	}
	if err := b.header(first); err != nil {
		return err
	}
	return b.tables()
}

// readMagic reads the first line, byte by byte, because the rest belongs to
// another reader. It returns the format in that line.
func readMagic(r io.Reader) (form string, err error) {
	line := make([]byte, len(backupMagic))
	if _, err := io.ReadFull(r, line); err != nil || !bytes.HasPrefix(line, []byte(backupName)) {
		return "", badBackup("it does not begin as one")
	}
	form = strings.TrimSuffix(string(line[len(backupName):]), "\n")
	if form != backupForm && form != unprovenForm || string(line) != backupName+form+"\n" {
		return "", badBackup("it has a form that this version does not know")
	}
	return form, nil
}

func (b *backupReader) header(text []byte) error {
	var h backupHeader
	if err := json.Unmarshal(text, &h); err != nil {
		return badBackup("its header: %v", err)
	}
	if knows := newestSchema(); int64(h.Schema) > knows {
		return badBackup("a later version of rollcall wrote it (schema %d, and this version knows schemas up to %d); "+
			"restore it with that version", h.Schema, knows)
	}
	b.info.Taken, b.info.Engine, b.info.Schema = h.Taken, h.Engine, h.Schema
	return nil
}

// record reads the next record, without its kind, which must be one of kinds;
// b.buf has it with its kind.
func (b *backupReader) record(kinds ...byte) ([]byte, error) {
	size, err := binary.ReadUvarint(b.r)
	if err != nil {
		return nil, damaged(err)
	}
	if size == 0 || size > maxBackupRecord {
		return nil, badBackup("a record of %d bytes", size)
	}
	b.buf = slices.Grow(b.buf[:0], int(size))[:size]
	if _, err := io.ReadFull(b.r, b.buf); err != nil {
		return nil, damaged(err)
	}
	if !bytes.Contains(kinds, b.buf[:1]) {
		return nil, badBackup("a record out of place")
	}
	if b.buf[0] != 'E' {
		b.sum.Write(b.buf)
	}
	return b.buf[1:], nil
}

// damaged returns the error of a file that cannot be read further: it ends too
// early, or something else is wrong.
func damaged(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return badBackup("it ends before its end")
	}
	return badBackup("%v", err)
}

func (b *backupReader) tables() error {
	var t *backupTable
	kinds := []byte("TE")
	for {
		record, err := b.record(kinds...)
		if err != nil {
			return err
		}
		switch b.buf[0] {
		case 'T':
			if t, err = knownTable(record); err == nil {
				err = b.begin(t)
			}
			kinds = []byte("TRE")
		case 'R':
			var args []any
			if args, err = t.parse(record); err == nil {
				b.info.count(t.Name, 1)
				err = errors.Join(b.key(t, args), b.row(args))
			}
		case 'E':
			return b.end(record)
		}
		if err != nil {
			return err
		}
	}
}

func (b *backupReader) end(record []byte) error {
	sum := b.sum.Sum(nil)
	proof, whole := bytes.CutPrefix(record, sum)
	if !whole || b.form != unprovenForm && len(proof) != backupProofSize || b.form == unprovenForm && len(proof) > 0 {
		return badBackup("its checksum is wrong")
	}
	if _, err := b.r.ReadByte(); err != io.EOF {
		return badBackup("something follows its end")
	}
	return b.verify(sum, proof)
}

// maxBackupKeys limits the data keys of a backup that are held in memory.
const maxBackupKeys = 100_000

// key stores a data key of the backup.
func (b *backupReader) key(t *backupTable, args []any) error {
	if t.Name != "data_keys" || b.master == nil {
		return nil
	}
	if len(b.rows) == maxBackupKeys {
		return badBackup("it has more than %d data keys", maxBackupKeys)
	}
	var k dataKeyRow
	for i, c := range t.Columns {
		switch v := args[i].(type) {
		case string:
			switch c.Name {
			case "id":
				k.ID = v
			case "master_key_id":
				k.MasterKeyID = v
			case "purpose":
				k.Purpose = seal.Purpose(v)
			}
		case []byte:
			k.Wrapped = v
		case int64:
			if c.Name == "created" {
				k.created = v
			}
		}
	}
	b.rows = append(b.rows, k)
	return nil
}

// verify returns an error unless the holder of the master key wrote the backup
// in this form.
func (b *backupReader) verify(sum, proof []byte) error {
	if b.master == nil {
		return nil
	}
	if b.form == unprovenForm {
		return fmt.Errorf("%w: it was created by an earlier version, which added no proof", ErrUnverified)
	}
	slices.SortFunc(b.rows, dataKeyRow.compare)
	keys := make([]seal.WrappedKey, len(b.rows))
	for i, row := range b.rows {
		keys[i] = row.WrappedKey
	}
	ring, err := seal.NewKeyring(b.master, keys)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnverified, err)
	}
	if !ring.VerifyMAC(backupProof, sum, proof) {
		return fmt.Errorf("%w: it was changed after it was created", ErrUnverified)
	}
	b.info.Verified = true
	return nil
}

// dataKeyRow is a data key with its sort keys.
type dataKeyRow struct {
	seal.WrappedKey
	created int64
}

// compare compares in the order of DataKeys.
func (k dataKeyRow) compare(other dataKeyRow) int {
	return cmp.Or(cmp.Compare(k.created, other.created), strings.Compare(k.ID, other.ID))
}

// knownTable returns a table in the form of the backup. It may lack columns
// that exist today, which then get their defaults.
func knownTable(text []byte) (*backupTable, error) {
	var t backupTable
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, badBackup("its tables: %v", err)
	}
	i := slices.IndexFunc(backupTables(), func(known backupTable) bool { return known.Name == t.Name })
	if i < 0 {
		return nil, badBackup("a table %q", t.Name)
	}
	for n, c := range t.Columns {
		if !slices.Contains(backupTables()[i].Columns, c) || slices.Contains(t.Columns[:n], c) {
			return nil, badBackup("a column %q", t.Name+"."+c.Name)
		}
	}
	if len(t.Columns) == 0 {
		return nil, badBackup("a table without columns")
	}
	return &t, nil
}

// parse reads a row as arguments of the table's INSERT.
func (t *backupTable) parse(record []byte) ([]any, error) {
	args := make([]any, len(t.Columns))
	for i, c := range t.Columns {
		var ok bool
		if args[i], record, ok = parseCell(c.Kind, record); !ok {
			return nil, badBackup("a row of table %s", t.Name)
		}
	}
	if len(record) > 0 {
		return nil, badBackup("a row of table %s", t.Name)
	}
	return args, nil
}

func parseCell(kind cellKind, b []byte) (v any, rest []byte, ok bool) {
	if kind == numberCell {
		n, used := binary.Varint(b)
		if used <= 0 {
			return nil, nil, false
		}
		return n, b[used:], true
	}
	there := true
	if kind == optionalCell {
		if len(b) == 0 || b[0] > 1 {
			return nil, nil, false
		}
		there, b = b[0] == 1, b[1:]
	}
	size, used := binary.Uvarint(b)
	if used <= 0 || size > uint64(len(b)-used) {
		return nil, nil, false
	}
	cell, rest := b[used:used+int(size)], b[used+int(size):]
	switch {
	case !there:
		return nil, rest, true
	case kind == bytesCell:
		return bytes.Clone(cell), rest, true
	}
	return string(cell), rest, true
}

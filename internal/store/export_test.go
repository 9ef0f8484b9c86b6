package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Exec runs a test's own statement.
func (tx *Tx) Exec(sql string, args ...any) error {
	_, err := tx.exec(sql, args...)
	return err
}

// Pairs reads a query of two texts.
func (tx *Tx) Pairs(sql string) ([][2]string, error) {
	return list(tx, func(p *[2]string) []any { return []any{&p[0], &p[1]} }, sql)
}

// Dump prints every row of every table, by table.
func (tx *Tx) Dump() (map[string][]string, error) {
	all := map[string][]string{}
	for _, t := range backupTables() {
		r, err := tx.c.query(tx.ctx, t.selectSQL(), nil)
		if err != nil {
			return nil, err
		}
		c := newCells(t)
		for r.next() {
			if err := r.scan(c.dest...); err != nil {
				return nil, err
			}
			all[t.Name] = append(all[t.Name], fmt.Sprintf("%q", c.append(nil)))
		}
		r.close()
		if err := r.err(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// BackupColumns returns the columns in a backup, as "table.column".
func BackupColumns() (columns []string) {
	for _, t := range backupTables() {
		for _, c := range t.Columns {
			columns = append(columns, t.Name+"."+c.Name)
		}
	}
	return columns
}

// SetUseSpan changes Config.UseSpan and PasswordSpan. No call may be in
// progress.
func (db *DB) SetUseSpan(span time.Duration) { db.used.span, db.used.passwordSpan = span, span }

// UpdateSoon is Update as the uses of credentials are written.
func (db *DB) UpdateSoon(ctx context.Context, fn func(*Tx) error) error {
	return db.inTime(ctx, db.engine.updateSoon, fn)
}

// Connections reports of every connection of the pool whether it is outside of
// a transaction, and how many were ever opened. It opens those that are not
// open; a replaced connection counts twice. Nothing may run at the same time.
func (db *DB) Connections() (outside bool, opened int64) {
	switch e := db.engine.(type) {
	case *sqlite:
		outside = e.writer.c.outside()
		for _, c := range e.readers.takeAll() {
			if c.db == nil {
				c, _ = e.open()
			}
			outside = outside && c != nil && c.outside()
			e.readers.give(c)
		}
		return outside, e.opened.Load()
	case *postgres:
		outside = true
		for _, c := range e.pool.AcquireAllIdle(context.Background()) {
			outside = outside && c.Conn().PgConn().TxStatus() == 'I'
			c.Release()
		}
		return outside, e.pool.Stat().NewConnsCount()
	}
	panic("unknown engine")
}

// AskAlways makes the pool ask every connection whether it is alive before it
// is used.
func (db *DB) AskAlways() {
	if e, ok := db.engine.(*postgres); ok {
		e.checkIdle = 0
	}
}

// BreakWriter makes the connection of the SQLite writer begin a transaction
// without an end.
func (db *DB) BreakWriter() error { return db.engine.(*sqlite).writer.c.control("BEGIN") }

// LeaveOpen starts a query and forgets it.
func (tx *Tx) LeaveOpen(sql string) error {
	r, err := tx.c.query(tx.ctx, sql, nil)
	if err == nil {
		r.next()
	}
	return err
}

// WithVFS makes SQLite reach its files through a file system that a test
// registered.
func (c Config) WithVFS(name string) Config {
	c.vfs = name
	return c
}

// ShiftClock moves the engine's clock as this DB reads it. Nothing may run at
// the same time.
func (db *DB) ShiftClock(by time.Duration) {
	db.dialect.clock = fmt.Sprintf("(%s + %d)", db.dialect.clock, by.Milliseconds())
}

// StopClock stops the engine's clock, as this DB reads it. Nothing may run at
// the same time.
func (db *DB) StopClock(at time.Time) { db.dialect.clock = fmt.Sprint(at.UnixMilli()) }

// SetFindOutPatience bounds how long the store tries to find out the fate of a
// commit.
func (db *DB) SetFindOutPatience(d time.Duration) { db.engine.(*postgres).patience = d }

// UnprovenForm, as the proof of a rewritten backup, makes one of the format
// without proofs.
func UnprovenForm([]byte) []byte { panic("not called") }

// RewriteBackup changes a backup as an attacker with an editor could: it
// changes rows and computes a new sum. prove computes the proof; nil keeps the
// old one.
func RewriteBackup(file []byte, change func(table string, args []any), prove func(sum []byte) []byte) ([]byte, error) {
	form := backupForm
	unproven := prove != nil && reflect.ValueOf(prove).Pointer() == reflect.ValueOf(UnprovenForm).Pointer()
	if unproven {
		form = unprovenForm
	}
	packed := bytes.NewBufferString(backupName + form + "\n")
	pack, err := zstd.NewWriter(packed)
	if err != nil {
		return nil, err
	}
	out := &backupWriter{w: bufio.NewWriter(pack), sum: sha256.New()}
	unpack, err := zstd.NewReader(bytes.NewReader(file[len(backupMagic):]))
	if err != nil {
		return nil, err
	}
	in := &backupReader{r: bufio.NewReader(unpack), sum: sha256.New()}
	var t *backupTable
	for {
		record, err := in.record('H', 'T', 'R', 'E')
		if err != nil {
			return nil, err
		}
		switch in.buf[0] {
		case 'T':
			if t, err = knownTable(record); err != nil {
				return nil, err
			}
		case 'R':
			args, err := t.parse(record)
			if err != nil {
				return nil, err
			}
			change(t.Name, args)
			out.record(rowRecord(t, args))
			continue
		case 'E':
			sum := out.sum.Sum([]byte{'E'})
			switch {
			case unproven:
			case prove == nil:
				sum = append(sum, record[sha256.Size:]...)
			default:
				sum = append(sum, prove(sum[1:])...)
			}
			out.record(sum)
			err := errors.Join(out.err, out.w.Flush(), pack.Close())
			return packed.Bytes(), err
		}
		out.record(bytes.Clone(in.buf))
	}
}

func rowRecord(t *backupTable, args []any) []byte {
	b := []byte{'R'}
	for i, c := range t.Columns {
		switch v := args[i].(type) {
		case int64:
			b = binary.AppendVarint(b, v)
		case []byte:
			b = append(binary.AppendUvarint(b, uint64(len(v))), v...)
		case string:
			if c.Kind == optionalCell {
				b = append(b, 1)
			}
			b = append(binary.AppendUvarint(b, uint64(len(v))), v...)
		case nil:
			b = append(b, 0, 0)
		}
	}
	return b
}

// Knowing returns the configuration of an earlier version of the program, which
// knows schemas up to a number.
func (cfg Config) Knowing(schema int64) Config {
	cfg.knows = schema
	return cfg
}

// InsertBackup inserts the rows of a backup into the tables of its own schema.
func (db *DB) InsertBackup(ctx context.Context, r io.ReadSeeker) error {
	return db.Update(ctx, func(tx *Tx) error {
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return err
		}
		in := &inserter{tx: tx}
		b := backupReader{begin: in.begin, row: in.row}
		return errors.Join(b.read(r), in.flush())
	})
}

// NewestSchema returns the version of the newest migration.
func NewestSchema() int64 { return newestSchema() }

// Reconnect closes the connections to PostgreSQL.
func (db *DB) Reconnect() { db.engine.(*postgres).pool.Reset() }

// InsertReport inserts a report of a certain age in milliseconds.
func (tx *Tx) InsertReport(r Report, age int64) error {
	_, err := tx.exec(`INSERT INTO reports (account, token, generated, published_ms, size, users, sha256, base)
		VALUES ($1, $2, 0, `+tx.clock+` - CAST($3 AS BIGINT), 0, 0, '', $4)`, r.Account, r.Token, age, r.Token)
	return err
}

// SignerAs reads a key together with the grants of a user, whose it need not be.
func (db *DB) SignerAs(ctx context.Context, id, account, nameKey string) (o KeyOwner, g *Grants, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		o, g, err = tx.signer(id, userKey{account, nameKey}, &databaseState{})
		return err
	})
	return o, g, err
}

// DatabaseState is a state of the database.
type DatabaseState = databaseState

// StateSQL asks a PostgreSQL server for it.
var StateSQL = postgresDialect.state

// State asks for the state of the database.
func (db *DB) State(ctx context.Context) (DatabaseState, error) { return db.databaseState(ctx) }

// ConnectionsNoted returns the number of connections that the memory of signers
// knows of.
func (db *DB) ConnectionsNoted() int64 {
	db.signers.mu.Lock()
	defer db.signers.mu.Unlock()
	return int64(db.signers.opened)
}

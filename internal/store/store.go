// Package store is Rollcall's database: accounts, users, their credentials, the
// facts about their use, and the stored credential reports.
//
// It promises:
//
//   - One text per statement for every engine. SQLite (a file, or memory) and
//     anything that speaks PostgreSQL's protocol run the same statements;
//     necessary differences are in dialect.go.
//   - View sees one snapshot; Update is one serializable transaction. A change
//     that Update acknowledged survives kill -9 and power loss.
//   - A closure given to Update may run more than once: it is repeated on
//     serialization failures and when a group commit has to be undone. Its
//     only effect must be through its Tx.
//   - Errors are ErrExists, ErrNotFound, ErrConflict, ErrUnavailable, or the
//     engine's own, wrapped, which callers treat as internal.
//   - A change in a file that was moved away, deleted or replaced is not
//     acknowledged.
//
// It contains no rules of IAM and no wire formats. It sees no secret in clear:
// secrets are sealed or hashed before they arrive. A user is found by name_key,
// the folded name; the root user has the empty name_key, so it sorts first.
package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
)

var (
	// ErrExists reports that a row with this key already exists.
	ErrExists = errors.New("store: exists")
	// ErrNotFound reports that no such row exists.
	ErrNotFound = errors.New("store: not found")
	// ErrConflict reports that other rows still refer to this one, or that a
	// required row is missing.
	ErrConflict = errors.New("store: conflict")
	// ErrUnavailable reports that the database could not be reached, or did not
	// answer in time. A repeated call may succeed.
	ErrUnavailable = errors.New("store: unavailable")
)

// Config says which database to open.
type Config struct {
	// Path is the SQLite file. Its directory must exist.
	Path string
	// URL is a PostgreSQL connection string. If it is set, Path is not used.
	URL string
	// AllowPlain allows a URL that requests plain text to another machine.
	AllowPlain bool
	// Memory asks for a private SQLite database in memory, which Close deletes.
	Memory bool
	// Now is the clock; nil means time.Now. Transactions read it once.
	Now func() time.Time
	// UseSpan is the time by which a use of a credential must be later than the
	// recorded one to replace it. 0 records every use to the second. IAM
	// records the first one within 15 minutes.
	UseSpan time.Duration
	// PasswordSpan is the same for passwords. IAM's is 5 minutes.
	PasswordSpan time.Duration
	// Timeout is the maximum time of a call in the database. After that it
	// fails with ErrUnavailable; 0 means 10 s. See Patiently.
	Timeout time.Duration
	// Readers limits the SQLite connections that read at the same time; 0 means
	// twice the number of processors, at least four.
	Readers int

	// vfs names SQLite's interface to the file system; empty means its own.
	// Tests use it to watch writes to the disk.
	vfs string
	// knows is the newest schema that is known; 0 means that of the newest
	// migration. Tests set it to simulate an earlier version of the program.
	knows int64
}

// DB is an open database, safe for concurrent use. Close it to flush what is
// still pending.
type DB struct {
	engine engine
	dialect
	now     func() time.Time
	timeout time.Duration
	used    lastUsed
	// node is the name of this process for others.
	node   string
	memory bool
	outbox outbox
	// callers caches facts about callers.
	callers callerCache
	signers signerCache
	states  *sharedState // nil for engines that need not be asked
}

// Tx is one transaction. It must not leave the closure that it was given to.
type Tx struct {
	// Now is the transaction's time, read once. IAM's dates are whole
	// seconds; the store drops the rest when it writes one.
	Now time.Time
	ctx context.Context
	c   conn
	ids []string // see made
	dialect
}

// engine is the interface with implementations for SQLite and PostgreSQL.
type engine interface {
	view(ctx context.Context, fn func(conn) error) error
	// settled does ViewSettled.
	settled(ctx context.Context, patience time.Duration, fn func(conn) error) error
	// glance is view for a function with a single statement.
	glance(ctx context.Context, fn func(conn) error) error
	update(ctx context.Context, fn func(conn) error) error
	// updateSoon is update for facts that may be lost in a crash soon after.
	updateSoon(ctx context.Context, fn func(conn) error) error
	// aside runs statements that no other transaction depends on, one by one,
	// so that no other transaction has to be repeated.
	aside(ctx context.Context, fn func(conn) error) error
	// living returns the nodes that use the database, nil if they are unknown.
	living(ctx context.Context) (map[string]bool, error)
	// version identifies the state of the database. Every commit of any process
	// changes it. ok is false if the engine cannot provide it cheaply.
	version() (v walHeader, ok bool)
	ping(ctx context.Context) error
	close() error
}

// Open opens the database and brings its schema up to date.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.knows == 0 {
		cfg.knows = newestSchema()
	}
	db := &DB{now: cfg.Now, timeout: cfg.Timeout, node: nodeName(cfg.knows, rand.Text()),
		memory: cfg.Memory && cfg.URL == ""}
	if db.now == nil {
		db.now = time.Now
	}
	if db.timeout <= 0 {
		db.timeout = 10 * time.Second
	}
	var err error
	switch {
	case cfg.URL != "":
		if !strings.HasPrefix(cfg.URL, "postgres://") && !strings.HasPrefix(cfg.URL, "postgresql://") {
			// The text is not repeated, because it may hold a password in an
			// unexpected place.
			return nil, errors.New("open store: the URL is not a postgres:// URL")
		}
		db.dialect = postgresDialect
		cfg.Timeout = db.timeout
		db.states = newSharedState()
		db.engine, db.state, err = openPostgres(ctx, cfg, db.node, db.signers.connected)
		err = unreached(err)
	default:
		db.dialect = sqliteDialect
		db.engine, err = openSQLite(ctx, cfg, db.callers.keep)
		err = withPath(cfg.Path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	db.used.init(db, cfg.UseSpan, cfg.PasswordSpan)
	return db, nil
}

// Close writes the pending last-used facts and closes the database.
func (db *DB) Close() error {
	err := db.used.close()
	return errors.Join(err, db.engine.close())
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.engine.ping(ctx) }

// Now reads the database's clock.
func (db *DB) Now() time.Time { return db.now() }

// View runs fn in a read-only transaction on one snapshot.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error {
	return db.inTime(ctx, db.engine.view, fn)
}

// ErrUnsettled reports that ViewSettled has waited in vain.
var ErrUnsettled = errors.New("store: older transactions are still running")

// ViewSettled is View on a snapshot that no transaction can come before any
// more: each that has not seen what was committed when ViewSettled was called
// has ended, or will fail. It waits for that as long as its patience lasts.
func (db *DB) ViewSettled(ctx context.Context, patience time.Duration, fn func(*Tx) error) error {
	return db.inTime(ctx, func(ctx context.Context, fn func(conn) error) error {
		return db.engine.settled(ctx, patience, fn)
	}, fn)
}

// Update runs fn in one serializable transaction and returns when it is
// durable. fn may run more than once. ErrUnknown: it may or may not be durable.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	if e := EventOf(ctx); e != nil {
		return db.updateEvent(ctx, e, fn)
	}
	return db.update(ctx, fn)
}

func (db *DB) update(ctx context.Context, fn func(*Tx) error) error {
	return db.inTime(ctx, db.engine.update, fn)
}

// inTime runs fn in a kind of transaction. It takes at most Config.Timeout.
func (db *DB) inTime(ctx context.Context, run func(context.Context, func(conn) error) error, fn func(*Tx) error) error {
	if !patient(ctx) {
		bounded, cancel := context.WithTimeout(ctx, db.timeout)
		defer cancel()
		ctx = bounded
	}
	err := run(ctx, func(c conn) error {
		return fn(&Tx{Now: db.now(), ctx: ctx, c: c, dialect: db.dialect})
	})
	if errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrUnavailable) {
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// exec runs a statement and returns the number of rows it changed.
func (tx *Tx) exec(sql string, args ...any) (int64, error) {
	return tx.c.exec(tx.ctx, sql, args)
}

// insert runs an INSERT … ON CONFLICT DO NOTHING. If the row exists it returns
// ErrExists; the transaction can continue.
func (tx *Tx) insert(sql string, args ...any) error {
	n, err := tx.exec(sql, args...)
	if err == nil && n == 0 {
		err = ErrExists
	}
	return err
}

// change runs an UPDATE or DELETE of one row that must exist.
func (tx *Tx) change(sql string, args ...any) error {
	n, err := tx.exec(sql, args...)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return err
}

// one reads the only row of a query into dest.
func (tx *Tx) one(dest []any, sql string, args ...any) error {
	r, err := tx.c.query(tx.ctx, sql, args)
	if err != nil {
		return err
	}
	return only(r, dest)
}

// oneAfter is insert and then one. If it fails, the transaction cannot
// continue.
func (tx *Tx) oneAfter(insert statement, dest []any, sql string, args ...any) error {
	r, err := tx.c.queryAfter(tx.ctx, insert, sql, args)
	if err != nil {
		return err
	}
	return only(r, dest)
}

// only reads the only row of an answer into dest, and closes it.
func only(r rows, dest []any) error {
	defer r.close()
	return scanOnly(r, dest)
}

func scanOnly(r rows, dest []any) error {
	if !r.next() {
		return cmp.Or(r.err(), ErrNotFound)
	}
	return r.scan(dest...)
}

// list reads all rows of a query; fields names where a row's columns go.
func list[T any](tx *Tx, fields func(*T) []any, sql string, args ...any) ([]T, error) {
	r, err := tx.c.query(tx.ctx, sql, args)
	if err != nil {
		return nil, err
	}
	defer r.close()
	return scanList(r, fields)
}

func scanList[T any](r rows, fields func(*T) []any) ([]T, error) {
	var all []T
	for r.next() {
		var t T
		if err := r.scan(fields(&t)...); err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, r.err()
}

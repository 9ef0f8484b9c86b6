package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs/mvcc"

	"rollcall/internal/ownfile"
)

// This file and sqliteconn.go are the only ones that use the SQLite library.

// sqlite is one writer connection behind a queue, and a pool of readers.
type sqlite struct {
	dsn     string
	memory  string // the name of the database in memory, or ""
	writer  *sqliteWriter
	readers *sqliteReaders
	closed  atomic.Bool
	opened  atomic.Int64 // connections ever opened
	index   *walIndex    // nil in memory
	files   *openFiles   // nil in memory
	path    string       // "" in memory
	log     *walKeeper   // nil in memory
	started atomic.Bool  // the first reader in memory is open
}

var memoryNames atomic.Int64

// walFiles are the files that SQLite keeps next to an open database.
var walFiles = [...]string{"-wal", "-shm"}

// makeWALFiles creates the files next to a database before the library does.
// The library would use the mode of the umask and the owner of the process.
func makeWALFiles(path string) error {
	for _, suffix := range walFiles {
		f, err := ownfile.OpenScratch(path+suffix, os.O_RDWR|ownfile.NoFollow)
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// makeFiles creates an empty database if there is none, and the files next to
// it. The library follows links: path is the true place of the database, with
// its other files next to it.
func makeFiles(named string) (path string, err error) {
	f, err := ownfile.Open(named, os.O_RDWR)
	if err != nil {
		return "", err
	}
	if err := f.Close(); err != nil {
		return "", err
	}
	path = ownfile.Resolve(named)
	return path, makeWALFiles(path)
}

// busyTimeout is the time for which a connection waits for another process.
const busyTimeout = 20 * time.Second

func openSQLite(ctx context.Context, cfg Config, kept func(before, after walHeader)) (*sqlite, error) {
	e := &sqlite{}
	query := url.Values{"_pragma": {
		// busy_timeout has to come first, because the others may have to wait.
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"journal_mode(wal)", "synchronous(full)", "foreign_keys(on)", "temp_store(memory)",
		"wal_autocheckpoint(4000)",
	}}
	if cfg.vfs != "" {
		query.Set("vfs", cfg.vfs)
	}

	path, named := cfg.Path, ""
	if cfg.Memory {
		e.memory = fmt.Sprintf("rollcall-%d.db", memoryNames.Add(1))
		mvcc.Create(e.memory, emptySchema())
		path = "/" + e.memory
		query.Set("vfs", "mvcc")
		query["_pragma"] = []string{query["_pragma"][0], "foreign_keys(on)", "temp_store(memory)"}
	} else {
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		named = abs
		if path, err = makeFiles(named); err != nil {
			return nil, err
		}
		e.path = path
	}
	e.dsn = (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query.Encode()}).String()
	if err := e.migrate(ctx, path, cfg.knows); err != nil {
		return nil, err
	}
	if e.memory == "" {
		if err := makeWALFiles(path); err != nil { // the migration has deleted them
			return nil, err
		}
	}
	n := cfg.Readers
	if n <= 0 {
		n = max(4, 2*runtime.GOMAXPROCS(0))
	}
	e.readers = newSQLiteReaders(n)
	err := e.connect(named, kept)
	if err == nil {
		err = e.sameSchema(ctx, cfg.knows)
	}
	if err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// connect opens the writer, and the readers of a file, because the file may be moved away later. In
// memory the first reader opens after the start, and others on first use, which keeps the start of
// an emulator short. named is the database's name, which may be a link, or "" in memory.
func (e *sqlite) connect(named string, kept func(before, after walHeader)) error {
	c, err := e.openWriter()
	if err != nil {
		return err
	}
	if err := e.watchFiles(named); err != nil {
		return errors.Join(err, c.close())
	}
	e.writer = startSQLiteWriter(c, e.openWriter, e.version, kept, e.files)
	if e.memory != "" {
		return e.openFirstReader()
	}
	for _, c := range e.readers.takeAll() {
		if err == nil {
			if fresh, failed := e.open(); failed != nil {
				err = failed
			} else {
				c = fresh
			}
		}
		e.readers.give(c)
	}
	return err
}

// startTime is the time that the rest of a start takes on a slow machine.
const startTime = 50 * time.Millisecond

// openFirstReader opens a reader when the start is over. Until then the writer
// runs single statements.
func (e *sqlite) openFirstReader() error {
	c, err := e.readers.take(context.Background())
	if err != nil {
		return err
	}
	go func() {
		defer func() { e.readers.give(c) }()
		select {
		case <-time.After(startTime):
		case <-e.writer.quit:
			return
		}
		if fresh, err := e.open(); err == nil {
			fresh.warm()
			c = fresh
		}
		e.started.Store(true)
	}()
	return nil
}

// watchFiles watches the files next to a database that a connection has opened,
// and keeps them open. Another process that ended may have deleted those of
// makeWALFiles.
func (e *sqlite) watchFiles(named string) (err error) {
	if e.memory != "" {
		return nil
	}
	for _, suffix := range walFiles {
		if err := ownfile.Adopt(e.path + suffix); err != nil {
			return err
		}
	}
	if e.files, err = rememberFiles(named, e.path); err != nil {
		return err
	}
	if e.index, err = openWALIndex(e.path); err != nil {
		return err
	}
	e.log = startWALKeeper(e.path, e.open)
	return nil
}

// writerPatience is the time for which one attempt of the writer waits for
// another process. It repeats attempts while callers wait.
const writerPatience = 50 * time.Millisecond

func (e *sqlite) openWriter() (*sqliteConn, error) {
	c, err := e.open()
	if err != nil {
		return nil, err
	}
	if err := c.db.BusyTimeout(writerPatience); err != nil {
		_ = c.close()
		return nil, err
	}
	return c, nil
}

func (e *sqlite) open() (*sqliteConn, error) {
	u, _ := url.Parse(e.dsn)
	pragmas := u.Query()["_pragma"]
	db, err := sqlite3.Open(e.dsn)
	if err != nil {
		return nil, err
	}
	for _, p := range pragmas {
		if err := db.Exec("PRAGMA " + p); err != nil {
			_ = db.Close()
			return nil, fmt.Errorf("set %s: %w", p, err)
		}
	}
	e.opened.Add(1)
	return &sqliteConn{engine: e, db: db, stmts: map[string]*sqliteStmt{}}, nil
}

func (e *sqlite) view(ctx context.Context, fn func(conn) error) error {
	c, err := e.readers.take(ctx)
	if err != nil {
		return err
	}
	defer func() { e.readers.give(e.usable(c)) }()
	if e.closed.Load() {
		return errClosed
	}
	if c.db == nil {
		fresh, err := e.open()
		if err != nil {
			return fmt.Errorf("open a connection again: %w", err)
		}
		c = fresh
	}
	return c.view(ctx, fn)
}

// usable returns a connection for the next reader. It is this one, if it is
// outside of a transaction. Otherwise it is an empty one, which is opened when
// it is needed.
func (e *sqlite) usable(c *sqliteConn) *sqliteConn {
	if c.db == nil || c.settle() {
		return c
	}
	_ = c.close()
	return &sqliteConn{}
}

// settled is view: the changes come one after the other.
func (e *sqlite) settled(ctx context.Context, _ time.Duration, fn func(conn) error) error {
	return e.view(ctx, fn)
}

// glance is view, because a transaction within one process costs nothing.
func (e *sqlite) glance(ctx context.Context, fn func(conn) error) error {
	if e.memory != "" && !e.started.Load() {
		return e.update(ctx, fn)
	}
	return e.view(ctx, fn)
}

// updateSoon is update: transactions share their waits for the disk.
func (e *sqlite) updateSoon(ctx context.Context, fn func(conn) error) error { return e.update(ctx, fn) }

func (e *sqlite) update(ctx context.Context, fn func(conn) error) error {
	return withPath(e.path, e.writer.update(ctx, fn))
}

// aside is update, because there is one writer.
func (e *sqlite) aside(ctx context.Context, fn func(conn) error) error {
	return e.writer.update(ctx, fn)
}

func (e *sqlite) living(context.Context) (map[string]bool, error) { return nil, nil }

func (e *sqlite) version() (v walHeader, ok bool) {
	if e.index == nil || e.closed.Load() {
		return v, false
	}
	return e.index.header()
}

func (e *sqlite) ping(ctx context.Context) error {
	if err := e.files.check(); err != nil {
		return err
	}
	return e.view(ctx, func(c conn) error {
		r, err := c.query(ctx, "SELECT count(*) FROM data_keys", nil)
		if err != nil {
			return err
		}
		r.close()
		return nil
	})
}

var errClosed = fmt.Errorf("%w: closed", ErrUnavailable)

func (e *sqlite) close() error {
	if e.closed.Swap(true) {
		return nil
	}
	if e.log != nil {
		e.log.stop()
	}
	if e.writer != nil {
		e.writer.stop()
	}
	var errs []error
	if e.writer != nil {
		errs = append(errs, e.writer.c.close())
	}
	// Every reader returns before its connection is closed.
	for _, c := range e.readers.takeAll() {
		errs = append(errs, c.close())
	}
	// A caller that still waits for a reader gets a closed one, with an error.
	for range e.readers.count() {
		e.readers.give(&sqliteConn{})
	}
	if e.memory != "" {
		mvcc.Delete(e.memory)
	}
	return errors.Join(errs...)
}

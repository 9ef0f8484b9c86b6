package store

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"

	"rollcall/internal/ownfile"
)

// inspectSQLite opens the file for reading only. Beside another process it reads
// as that one's connections do. Otherwise it takes no lock, because SQLite would
// create files for that.
func inspectSQLite(ctx context.Context, cfg Config, in *Inspection) error {
	abs, err := filepath.Abs(cfg.Path)
	if err != nil {
		return err
	}
	path := ownfile.Resolve(abs)
	if _, err := os.Stat(path); err != nil {
		return err
	}
	query := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(2000)", "query_only(on)", "temp_store(memory)"}}
	if _, err := os.Stat(path + "-shm"); errors.Is(err, fs.ErrNotExist) {
		query.Set("immutable", "1")
		if log, err := os.Stat(path + "-wal"); err == nil {
			in.Unread = log.Size()
		}
	}
	e := &sqlite{dsn: (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query.Encode()}).String()}
	c, err := e.open()
	if err != nil {
		return err
	}
	defer func() { _ = c.close() }()
	if _, err := c.db.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, true); err != nil {
		return err
	}
	err = c.view(ctx, func(cn conn) error {
		tx := &Tx{ctx: ctx, c: cn, dialect: sqliteDialect}
		if err := tx.one([]any{&in.Server}, "SELECT 'SQLite ' || sqlite_version()"); err != nil {
			return err
		}
		return in.read(tx, "SELECT COUNT(*) FROM sqlite_master WHERE name = 'goose_db_version'")
	})
	c.settle()
	if err != nil {
		return err
	}
	return in.lookForDamage(ctx, c)
}

// lookForDamage makes SQLite read its file, for a limited time.
func (in *Inspection) lookForDamage(ctx context.Context, c *sqliteConn) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	var found string
	err := c.view(ctx, func(cn conn) error {
		tx := &Tx{ctx: ctx, c: cn, dialect: sqliteDialect}
		return tx.one([]any{&found}, "PRAGMA quick_check(1)")
	})
	c.settle()
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil
	case errors.Is(err, sqlite3.CORRUPT):
		in.Damage = err.Error()
	case err != nil:
		return err
	case found != "ok":
		in.Damage = found
	}
	in.Whole = true
	return nil
}

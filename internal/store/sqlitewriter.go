package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// sqliteWriter is the one goroutine that writes. It gathers the updates that
// are waiting into one transaction, each in a savepoint of its own, so that
// they share one fsync (group commit); a failed update undoes only itself.
type sqliteWriter struct {
	c     *sqliteConn
	queue chan *sqliteUpdate
	quit  chan struct{}
	ended sync.WaitGroup
	// version is the engine's; kept is told of a commit of this writer that
	// changed no owner of a key.
	version func() (walHeader, bool)
	kept    func(before, after walHeader)
}

type sqliteUpdate struct {
	ctx  context.Context
	fn   func(conn) error
	err  error
	done chan struct{}
}

// groupLimit bounds how many updates share one commit.
const groupLimit = 128

func startSQLiteWriter(c *sqliteConn, version func() (walHeader, bool), kept func(before, after walHeader)) *sqliteWriter {
	w := &sqliteWriter{c: c, queue: make(chan *sqliteUpdate, groupLimit), quit: make(chan struct{}), version: version, kept: kept}
	w.ended.Go(w.run)
	return w
}

// update queues fn and waits until its fate is known. A context that ends
// before the writer comes to fn keeps it from running; later it has no effect,
// because a commit cannot be half believed.
func (w *sqliteWriter) update(ctx context.Context, fn func(conn) error) error {
	u := &sqliteUpdate{ctx: ctx, fn: fn, done: make(chan struct{})}
	select {
	case <-w.quit:
		return errClosed
	default:
	}
	select {
	case w.queue <- u:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.quit:
		return errClosed
	}
	select {
	case <-u.done:
		return u.err
	case <-w.quit:
	}
	// The writer ends: it finishes or refuses all that is queued.
	w.ended.Wait()
	select {
	case <-u.done:
		return u.err
	default:
		return errClosed
	}
}

func (w *sqliteWriter) stop() {
	close(w.quit)
	w.ended.Wait()
}

func (w *sqliteWriter) run() {
	for {
		select {
		case u := <-w.queue:
			w.commit(w.gather(u))
		case <-w.quit:
			for {
				select {
				case u := <-w.queue:
					u.finish(errClosed)
				default:
					return
				}
			}
		}
	}
}

func (w *sqliteWriter) gather(first *sqliteUpdate) []*sqliteUpdate {
	group := []*sqliteUpdate{first}
	for len(group) < groupLimit {
		select {
		case u := <-w.queue:
			group = append(group, u)
		default:
			return group
		}
	}
	return group
}

func (u *sqliteUpdate) finish(err error) {
	u.err = err
	close(u.done)
}

// commit runs a group in one transaction. When the transaction as a whole is
// lost (disk full, I/O error), its members are tried once more one by one,
// so that each learns its own fate.
func (w *sqliteWriter) commit(group []*sqliteUpdate) {
	lost := w.try(group)
	if lost == nil {
		return
	}
	if len(group) == 1 {
		group[0].finish(lost)
		return
	}
	for _, u := range group {
		// Who no longer asks is not worth another wait for the lock.
		if err := u.ctx.Err(); err != nil {
			u.finish(err)
			continue
		}
		if err := w.try([]*sqliteUpdate{u}); err != nil {
			u.finish(err)
		}
	}
}

// try returns nil when every update's fate was told, or the error that lost
// the whole transaction.
func (w *sqliteWriter) try(group []*sqliteUpdate) (lost error) {
	ctx := context.Background()
	if err := w.begin(group[0].ctx); err != nil {
		return err
	}
	defer func() {
		if lost != nil && !w.c.db.GetAutocommit() {
			w.c.exec(ctx, "ROLLBACK", nil)
		}
	}()
	// Nobody else commits from here to the end.
	before, watched := w.version()
	w.c.owners = false
	fates := make([]error, len(group))
	for i, u := range group {
		if fates[i] = u.ctx.Err(); fates[i] != nil {
			continue
		}
		if _, err := w.c.exec(ctx, "SAVEPOINT one", nil); err != nil {
			return err
		}
		fates[i] = guard(u.fn, w.c)
		if w.c.db.GetAutocommit() {
			return errors.Join(fates[i], errors.New("store: transaction rolled back"))
		}
		if fates[i] != nil {
			if _, err := w.c.exec(ctx, "ROLLBACK TO one", nil); err != nil {
				return err
			}
		}
		if _, err := w.c.exec(ctx, "RELEASE one", nil); err != nil {
			return err
		}
	}
	written := w.c.written()
	if _, err := w.c.exec(ctx, "COMMIT", nil); err != nil {
		return err
	}
	// A commit that wrote nothing made no version: the next one may be another
	// process's already.
	if after, ok := w.version(); ok && watched && !w.c.owners && w.c.written() > written {
		w.kept(before, after)
	}
	for i, u := range group {
		u.finish(fates[i])
	}
	return nil
}

// begin waits for the write lock, which another process may hold.
func (w *sqliteWriter) begin(ctx context.Context) error {
	for {
		_, err := w.c.exec(ctx, "BEGIN IMMEDIATE", nil)
		if err == nil || !sqliteBusy(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-w.quit:
			return err
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// guard turns a panic into an error: one update must not take down the
// writer that all others wait for.
func guard(fn func(conn) error, c conn) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("store: panic in update: %v\n%s", p, debug.Stack())
		}
	}()
	return fn(c)
}

package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rollcall/internal/guard"
)

// sqliteWriter is the only goroutine that writes. It collects the waiting
// updates into one transaction, each in a separate savepoint, so that they
// share one fsync (group commit). A failed update only undoes itself.
type sqliteWriter struct {
	c     *sqliteConn
	open  func() (*sqliteConn, error)
	queue chan *queuedUpdate
	quit  chan struct{}
	ended sync.WaitGroup
	// before counts the updates that wait for room in the queue.
	before atomic.Int64
	// version is the engine's. kept is called after a commit of this writer
	// that changed no owner of a key.
	version func() (walHeader, bool)
	kept    func(before, after walHeader)
	files   *openFiles
}

// groupLimit limits the number of updates that share one commit.
const groupLimit = 128

func startSQLiteWriter(
	c *sqliteConn, open func() (*sqliteConn, error), version func() (walHeader, bool),
	kept func(before, after walHeader), files *openFiles,
) *sqliteWriter {
	w := &sqliteWriter{
		c: c, open: open, queue: make(chan *queuedUpdate, groupLimit), quit: make(chan struct{}), version: version,
		kept: kept, files: files,
	}
	w.ended.Go(w.run)
	return w
}

// enqueue adds an update to the queue, as soon as there is room.
func (w *sqliteWriter) enqueue(u *queuedUpdate) error {
	w.before.Add(1)
	defer w.before.Add(-1)
	select {
	case w.queue <- u:
		return nil
	case <-u.ctx.Done():
		return u.ctx.Err()
	case <-w.quit:
		return errClosed
	}
}

// update queues fn and waits until its result is known. If the context ends
// before the writer starts fn, fn does not run. A later end has no effect,
// because a commit cannot be half done.
func (w *sqliteWriter) update(ctx context.Context, fn func(conn) error) error {
	u := queued(ctx, fn)
	select {
	case <-w.quit:
		return errClosed
	default:
	}
	if err := w.enqueue(u); err != nil {
		return err
	}
	select {
	case <-u.done:
		return u.err
	case <-ctx.Done():
		if u.leave() {
			return ctx.Err()
		}
	case <-w.quit:
	}
	select {
	case <-u.done:
		return u.err
	case <-w.quit:
	}
	// The writer ends: it finishes or refuses everything in the queue.
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
	w.c.warm()
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

func (w *sqliteWriter) gather(first *queuedUpdate) []*queuedUpdate {
	group := []*queuedUpdate{first}
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

// commit runs a group in one transaction. If the whole transaction is lost
// (disk full, I/O error), its members are tried again one by one, so that each
// gets its own result.
func (w *sqliteWriter) commit(group []*queuedUpdate) {
	lost := w.try(group)
	if lost == nil {
		return
	}
	w.c.settle() // a lost transaction must not keep a lock
	if len(group) == 1 {
		group[0].finish(lost)
		return
	}
	for _, u := range group {
		u.unclaim()
	}
	for _, u := range group {
		// A caller that has left is not worth another wait for the lock.
		if err := u.ctx.Err(); err != nil {
			u.finish(err)
			continue
		}
		if err := w.try([]*queuedUpdate{u}); err != nil {
			w.c.settle()
			u.finish(err)
		}
	}
}

// try returns nil when it has returned a result to every update, or the error
// that lost the whole transaction.
func (w *sqliteWriter) try(group []*queuedUpdate) (lost error) {
	if err := w.files.check(); err != nil {
		return err
	}
	if err := w.begin(group); err != nil {
		return err
	}
	// No other process can commit from here to the end.
	before, watched := w.version()
	w.c.owners = false
	fates := make([]error, len(group))
	for i, u := range group {
		if !u.claim() {
			continue
		}
		if fates[i] = u.ctx.Err(); fates[i] != nil {
			continue
		}
		if fates[i], lost = w.one(u); lost != nil {
			return lost
		}
	}
	written := w.c.written()
	if err := w.c.control("COMMIT"); err != nil {
		return err
	}
	// A commit that wrote nothing creates no version, so the next version may
	// come from another process.
	if after, ok := w.version(); ok && watched && !w.c.owners && w.c.written() > written {
		w.kept(before, after)
	}
	// A change that was written to a deleted file must not be acknowledged.
	moved := w.files.check()
	for i, u := range group {
		if fates[i] == nil {
			fates[i] = moved
		}
		u.finish(fates[i])
	}
	return nil
}

// one runs one update in a separate savepoint. lost is the error that lost the
// whole transaction.
func (w *sqliteWriter) one(u *queuedUpdate) (fate, lost error) {
	if err := w.c.control("SAVEPOINT one"); err != nil {
		return nil, err
	}
	fate = guard.Run(func() error { return u.fn(w.c) })
	if w.c.db.GetAutocommit() {
		return fate, errors.Join(fate, errors.New("store: transaction rolled back"))
	}
	if fate != nil {
		if err := w.c.control("ROLLBACK TO one"); err != nil {
			return fate, err
		}
	}
	return fate, w.c.control("RELEASE one")
}

// begin waits for the write lock, which another process may hold, as long as a
// caller of the group waits.
func (w *sqliteWriter) begin(group []*queuedUpdate) error {
	if err := w.settle(); err != nil {
		return err
	}
	for {
		err := w.c.control("BEGIN IMMEDIATE")
		if err == nil || !sqliteBusy(err) {
			return err
		}
		if !slices.ContainsFunc(group, func(u *queuedUpdate) bool {
			return u.mine && u.ctx.Err() == nil || !u.taken.Load()
		}) {
			return err
		}
		select {
		case <-w.quit:
			return err
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// settle ends the previous transaction of the connection, or replaces the
// connection. A connection within a transaction would refuse every later
// change.
func (w *sqliteWriter) settle() error {
	if w.c.settle() {
		return nil
	}
	c, err := w.open()
	if err != nil {
		return fmt.Errorf("open a connection again: %w", err)
	}
	_ = w.c.close()
	w.c = c
	return nil
}

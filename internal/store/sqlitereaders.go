package store

import (
	"context"
	"sync"
)

// sqliteReaders lends a fixed number of connections to readers. The last
// returned connection is lent first: it has parsed the schema, prepared
// statements and cached pages.
type sqliteReaders struct {
	ready chan struct{} // has one entry for each connection in idle

	mu   sync.Mutex
	idle []*sqliteConn
}

// newSQLiteReaders returns n readers that are not open yet.
func newSQLiteReaders(n int) *sqliteReaders {
	r := &sqliteReaders{ready: make(chan struct{}, n)}
	for range n {
		r.give(&sqliteConn{})
	}
	return r
}

// count returns the number of readers, including the lent ones.
func (r *sqliteReaders) count() int { return cap(r.ready) }

// take waits for a reader until ctx ends. The caller returns it.
func (r *sqliteReaders) take(ctx context.Context) (*sqliteConn, error) {
	select {
	case <-r.ready:
	default:
		select {
		case <-r.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	last := len(r.idle) - 1
	c := r.idle[last]
	r.idle = r.idle[:last]
	return c, nil
}

// spare takes a reader if more than half of them are idle, or returns nil.
func (r *sqliteReaders) spare() *sqliteConn {
	if len(r.ready) <= cap(r.ready)/2 {
		return nil
	}
	taken, cancel := context.WithCancel(context.Background())
	cancel() // others may be faster: do not wait
	c, err := r.take(taken)
	if err != nil {
		return nil
	}
	return c
}

func (r *sqliteReaders) give(c *sqliteConn) {
	r.mu.Lock()
	r.idle = append(r.idle, c)
	r.mu.Unlock()
	r.ready <- struct{}{}
}

// takeAll waits for every reader and returns them.
func (r *sqliteReaders) takeAll() []*sqliteConn {
	all := make([]*sqliteConn, r.count())
	for i := range all {
		all[i], _ = r.take(context.Background())
	}
	return all
}

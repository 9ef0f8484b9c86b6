package identity

import (
	"context"
	"sync"

	"rollcall/internal/guard"
	"rollcall/internal/store"
)

// reportRange is the number of users whose rows are formatted together.
const reportRange = 8192

// formatted is a range of rows, each with its line end.
type formatted struct {
	rows  []byte
	users int64
	err   error
}

// ranges divides the users of an account among several transactions on one
// snapshot. Each transaction formats ranges. The results come in the order of
// the users.
type ranges struct {
	account string
	size    int // the number of users in a range
	ctx     context.Context
	free    chan []byte // its capacity limits the ranges in progress

	mu    sync.Mutex
	next  string // the first user of the next range
	over  bool
	order chan chan formatted
}

// formatRanges calls out with all rows of an account in their order, in ranges
// of size users.
func formatRanges(
	ctx context.Context, txs []*store.Tx, account string, rows *reportRows, size int, out func(formatted) error,
) error {
	working, cancel := context.WithCancel(ctx)
	defer cancel()
	under := 2 * len(txs)
	r := &ranges{account: account, size: size, ctx: working, free: make(chan []byte, under),
		order: make(chan chan formatted, under)}
	for range under {
		r.free <- nil
	}
	var workers sync.WaitGroup
	for _, tx := range txs {
		own := rows.clone()
		workers.Go(func() { r.work(tx, own) })
	}
	go func() { workers.Wait(); close(r.order) }()
	var err error
	for one := range r.order {
		f := <-one
		if err == nil {
			if err = f.err; err == nil {
				err = out(f)
			}
		}
		if err != nil {
			cancel()
		}
		r.free <- f.rows
	}
	if err == nil {
		err = ctx.Err() // the rest was not begun
	}
	return err
}

// work formats one range after the other.
func (r *ranges) work(tx *store.Tx, rows *reportRows) {
	for {
		buf := <-r.free
		from, to, result, err := r.claim(tx)
		if result == nil {
			r.free <- buf
			return
		}
		f := formatted{rows: buf[:0], err: err}
		if err == nil {
			f.err = guard.Run(func() error {
				return tx.ScanCredentialsBetween(r.account, from, to, func(u *store.CredentialRow) error {
					if rows.shows(u) {
						f.rows = rows.append(append(f.rows, '\n'), u)
						f.users++
					}
					return nil
				})
			})
		}
		result <- f
	}
}

// claim takes the next range, and the place of its result. The place is nil after
// the last range.
func (r *ranges) claim(tx *store.Tx) (from, to string, result chan formatted, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over || r.ctx.Err() != nil {
		return "", "", nil, nil
	}
	from = r.next
	more := false
	err = guard.Run(func() (err error) {
		to, more, err = tx.UserAfter(r.account, from, r.size)
		return err
	})
	r.next, r.over = to, !more || err != nil
	result = make(chan formatted, 1)
	r.order <- result
	return from, to, result, err
}

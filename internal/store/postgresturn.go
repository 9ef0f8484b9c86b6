package store

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"

	"rollcall/internal/guard"
)

// postgresTurns are the queues for changes of accounts. An account always uses
// the same one, on every node: docs/decisions/013.
type postgresTurns [8]postgresTurn

func (all *postgresTurns) init(e *postgres, locks bool) {
	for i := range all {
		all[i].e, all[i].begin = e, beginUpdate
		if locks {
			all[i].begin += fmt.Sprintf("; LOCK TABLE turns_%d IN EXCLUSIVE MODE", i)
		}
	}
}

func (all *postgresTurns) of(account string) *postgresTurn {
	h := fnv.New32a()
	h.Write([]byte(account))
	return &all[h.Sum32()%uint32(len(all))]
}

// postgresTurn is one queue. Updates that wait in it share a transaction, each
// in a savepoint of its own, as those of the SQLite writer do. The transaction
// locks a table of this queue before its snapshot is taken, so those of several
// nodes come one after the other and never make each other fail. Nothing
// depends on that lock: the transactions are serializable without it.
type postgresTurn struct {
	e     *postgres
	begin string

	mu      sync.Mutex
	waiting []*queuedUpdate
	working bool
	next    int // updates whose transaction has not begun, maybe because another node has the turn
}

// depth returns the number of updates that wait, in all queues and in the longest.
func (all *postgresTurns) depth() (sum, longest int) {
	for i := range all {
		t := &all[i]
		t.mu.Lock()
		n := len(t.waiting) + t.next
		t.mu.Unlock()
		sum, longest = sum+n, max(longest, n)
	}
	return sum, longest
}

// waits notes how many updates wait for the next transaction.
func (t *postgresTurn) waits(n int) {
	t.mu.Lock()
	t.next = n
	t.mu.Unlock()
}

// turnLimit limits the number of updates that share a transaction. In
// PostgreSQL, up to 64 savepoints of a transaction cost other transactions
// nothing.
const turnLimit = 50

// update queues fn and waits until its fate is known. If the context ends
// before fn's turn, fn does not run.
func (t *postgresTurn) update(ctx context.Context, fn func(conn) error) error {
	u := queued(ctx, fn)
	t.mu.Lock()
	t.waiting = append(t.waiting, u)
	if !t.working {
		t.working = true
		go t.work()
	}
	t.mu.Unlock()
	select {
	case <-u.done:
		return u.err
	case <-ctx.Done():
	}
	if u.leave() {
		t.withdraw(u)
		return ctx.Err()
	}
	// It has started: its transaction ends by the first deadline of its group.
	<-u.done
	return u.err
}

// withdraw takes an update out of the queue, if it is still there.
func (t *postgresTurn) withdraw(u *queuedUpdate) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = slices.DeleteFunc(t.waiting, func(w *queuedUpdate) bool { return w == u })
}

// work processes the queue until it is empty.
func (t *postgresTurn) work() {
	for {
		t.mu.Lock()
		n := min(len(t.waiting), turnLimit)
		if n == 0 {
			t.working = false
			t.mu.Unlock()
			return
		}
		group := slices.Clone(t.waiting[:n])
		t.waiting = slices.Delete(t.waiting, 0, n)
		t.mu.Unlock()
		t.commit(group)
	}
}

// together is the number of attempts to run a group as one. After that, its
// updates run alone, so one that makes the transaction fail each time does not
// affect the others.
const together = 3

// commit returns the results to every update of a group. It repeats a
// transaction that certainly did not commit, with the updates that still wait.
func (t *postgresTurn) commit(group []*queuedUpdate) {
	var err error
	for try := 1; ; try++ {
		group = slices.DeleteFunc(group, func(u *queuedUpdate) bool {
			u.unclaim() // it may leave until its transaction has begun
			ended := u.ctx.Err()
			if ended != nil {
				u.finish(whyEnded(ended, err))
			}
			return ended != nil
		})
		if len(group) == 0 {
			return
		}
		if try > together && len(group) > 1 {
			for _, u := range group {
				t.commit([]*queuedUpdate{u})
			}
			return
		}
		var fates []error
		var again bool
		fates, again, err = t.try(group)
		if err == nil || !again {
			for i, u := range group {
				if err == nil {
					u.finish(fates[i])
				} else {
					u.finish(err)
				}
			}
			return
		}
		pause(group[0].ctx, try)
	}
}

// try runs a group in one transaction. The error is the reason why the whole
// transaction was lost. again says that it certainly did not commit and may
// succeed when it is repeated.
func (t *postgresTurn) try(group []*queuedUpdate) (fates []error, again bool, err error) {
	ctx, cancel := groupContext(group)
	defer cancel()
	t.waits(len(group))
	c, err := t.e.begin(ctx, t.begin)
	t.waits(0)
	if err != nil {
		// An update with little time left takes no time from the others.
		return nil, ctx.Err() != nil || retryable(err), unavailable("begin", err)
	}
	defer c.release()
	fates = make([]error, len(group))
	run := 0
	for i, u := range group {
		if !u.claim() {
			continue // its caller left while the group waited for the turn
		}
		run++
		if len(group) == 1 {
			fates[i] = guard.Run(func() error { return u.fn(c) })
		} else {
			fates[i] = c.within(u.fn)
		}
		if c.undone() {
			return nil, true, c.explain(c.failed)
		}
	}
	if run == 0 || len(group) == 1 && fates[0] != nil {
		return fates, false, nil
	}
	if err := c.commit(); err != nil {
		if again, err = t.e.lost(ctx, c, err); err != nil {
			return nil, again, err
		}
	}
	return fates, false, nil
}

// groupContext ends with the first deadline of a group, and for no other
// reason: a caller that leaves does not end a transaction of others.
func groupContext(group []*queuedUpdate) (context.Context, context.CancelFunc) {
	first, _ := group[0].ctx.Deadline()
	for _, u := range group[1:] {
		if at, _ := u.ctx.Deadline(); at.Before(first) {
			first = at
		}
	}
	return context.WithDeadline(context.Background(), first)
}

const savepoint = "SAVEPOINT one"

// within runs fn in a savepoint, which travels with fn's first statement.
func (c *postgresConn) within(fn func(conn) error) error {
	c.failed = nil
	c.ahead = append(c.ahead, statement{sql: savepoint})
	left := len(c.left)
	err := guard.Run(func() error { return fn(c) })
	if err != nil {
		c.left = c.left[:left]
	}
	if err == nil && c.failed != nil {
		err = c.explain(c.failed)
	}
	switch n := len(c.ahead); {
	case n > 0 && c.ahead[n-1].sql == savepoint:
		c.ahead = c.ahead[:n-1] // fn ran no statement
		return err
	case c.undone():
		return err
	case err != nil:
		if _, failed := c.pooled.Exec(c.work, "ROLLBACK TO one"); failed != nil {
			c.failed = failed
			return err
		}
	}
	c.ahead = append(c.ahead, statement{sql: "RELEASE one"})
	return err
}

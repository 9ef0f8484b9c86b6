package store

import (
	"context"
	"sync"
)

// databaseState identifies a state of a PostgreSQL server: two statements that
// find the same state see the same rows. It is the zero value if that is not known.
type databaseState struct {
	server   int64  // when it was started
	snapshot string // which transactions a statement sees
}

// take takes the answer of dialect.state.
func (s *databaseState) take(r rows) error { return takeOptional(&s.server, &s.snapshot)(r) }

// databaseState asks for the state of the database.
func (db *DB) databaseState(ctx context.Context) (s databaseState, err error) {
	err = db.Glance(ctx, func(tx *Tx) error {
		r, err := tx.c.query(tx.ctx, tx.state, nil)
		if err != nil {
			return err
		}
		defer r.close()
		return s.take(r)
	})
	return s, err
}

// signer is a key with its owner and the owner's grants, as they were in a state
// of the database. grants and state may be unknown. Then it only says whose the
// key was.
type signer struct {
	user   userKey
	owner  KeyOwner
	grants *Grants
	state  databaseState
	opened uint64 // see signerCache
}

// signerCache remembers signers, for engines that have to be asked whether the
// database has changed.
type signerCache struct {
	mu sync.Mutex
	of map[string]signer
	// opened counts the connections. A server that lost its last transactions in
	// a crash may come to a state that it had before, with other rows. Its
	// connections are lost too, so nothing counts that was read before a later
	// one was opened.
	opened uint64
	// last is the state that was seen last, and quiet says that it was seen twice.
	// If there are commits all the time, asking first is a waste.
	last  databaseState
	quiet bool
}

// get returns what is known of a key. ask says that it may be current.
func (c *signerCache) get(id string) (s signer, ask bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s = c.of[id]
	ask = c.quiet && s.grants != nil && s.state != databaseState{} && s.state == c.last && s.opened == c.opened
	s.opened = c.opened
	return s, ask
}

// current says whether a signer that get returned is still what the database
// has, whose state is now known.
func (c *signerCache) current(s signer, now databaseState) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.saw(now)
	return s.state == now && s.opened == c.opened
}

func (c *signerCache) saw(now databaseState) { c.quiet, c.last = now == c.last, now }

// put remembers a signer that was read after get.
func (c *signerCache) put(id string, s signer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]signer{}
	}
	makeRoom(c.of)
	c.of[id] = s
	c.saw(s.state)
}

func (c *signerCache) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.of, id)
}

// connected notes a new connection.
func (c *signerCache) connected() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opened++
}

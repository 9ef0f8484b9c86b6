package store

import (
	"context"
	"sync"
)

// walHeader names a state of a SQLite database: the header of its WAL-index,
// 48 bytes.
type walHeader [12]uint32

// keyCache remembers who owns which access key for as long as nothing in the
// database changed: every signed call asks for its key, and few calls change
// anything. A version of the database is what the engine says it is; an entry
// of another version does not count, so a key that was revoked by any process
// is looked up anew on the very next call.
type keyCache struct {
	mu      sync.Mutex
	version walHeader
	owners  map[string]KeyOwner
}

// keyCacheSize bounds the keys that are remembered.
const keyCacheSize = 10_000

func (c *keyCache) get(id string, version walHeader) (KeyOwner, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version != version {
		return KeyOwner{}, false
	}
	o, ok := c.owners[id]
	return o, ok
}

// put adds an owner that was read after the database had this version. A
// newer version is only taken over if the database has it still: the caller
// read it before the owner.
func (c *keyCache) put(o KeyOwner, version walHeader) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version != version || len(c.owners) >= keyCacheSize {
		c.version = version
		c.owners = map[string]KeyOwner{}
	}
	c.owners[o.Key.ID] = o
}

// KeyOwner reads a key by id, of any account, with its owner: what one signed
// request needs to know. The secret must not be changed.
func (db *DB) KeyOwner(ctx context.Context, id string) (o KeyOwner, err error) {
	version, watched := db.engine.version()
	if watched {
		if o, ok := db.keys.get(id, version); ok {
			return o, nil
		}
	}
	err = db.View(ctx, func(tx *Tx) error {
		o, err = tx.KeyOwner(id)
		return err
	})
	if watched && err == nil {
		db.keys.put(o, version)
	}
	return o, err
}

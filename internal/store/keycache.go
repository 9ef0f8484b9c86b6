package store

import (
	"context"
	"slices"
	"strings"
	"sync"
)

// walHeader names a state of a SQLite database: the header of its WAL-index,
// 48 bytes.
type walHeader [12]uint32

// follows says that exactly one commit lies between two states. The third
// word counts commits.
func (h walHeader) follows(before walHeader) bool { return h[2] == before[2]+1 }

// keyCache remembers who owns which access key for as long as nothing in the
// database changed that: every signed call asks for its key, and few calls
// change any. An entry counts only for the version of the database it was
// read from, so a key that was revoked by any process is looked up anew on
// the very next call.
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

// put adds an owner that was read after the database had a version, which
// now says that it has still.
func (c *keyCache) put(o KeyOwner, version walHeader, now func() (walHeader, bool)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if current, ok := now(); !ok || current != version {
		return
	}
	if c.owners == nil || c.version != version || len(c.owners) >= keyCacheSize {
		c.version, c.owners = version, map[string]KeyOwner{}
	}
	c.owners[o.Key.ID] = o
}

// keep goes on with what is remembered after a commit of this store that made
// one version of another and changed no owner.
func (c *keyCache) keep(before, after walHeader) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version == before && after.follows(before) {
		c.version = after
	}
}

// changesOwners says whether a statement may change what KeyOwner answers for
// a key that is there. It is true of all that it does not know.
func changesOwners(sql string) bool {
	words := strings.Fields(sql)
	var table string
	switch {
	case len(words) > 0 && slices.Contains([]string{"SELECT", "BEGIN", "SAVEPOINT", "RELEASE", "COMMIT", "ROLLBACK"}, words[0]):
		return false
	case len(words) < 3:
		return true
	case words[0] == "INSERT" && words[1] == "INTO":
		if !strings.Contains(sql, "DO UPDATE") {
			return false
		}
		table = words[2]
	case words[0] == "DELETE" && words[1] == "FROM":
		table = words[2]
	case words[0] == "UPDATE":
		table = words[1]
		if strings.HasPrefix(sql, countUserSQL+" WHERE ") {
			return false
		}
	default:
		return true
	}
	// Foreign keys carry changes from these to others, never the other way.
	return slices.Contains([]string{"accounts", "users", "access_keys"}, table) || !isTable(table)
}

// isTable says whether a word is a table's name and no other syntax.
func isTable(word string) bool {
	return strings.Trim(word, "abcdefghijklmnopqrstuvwxyz_") == ""
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
		db.keys.put(o, version, db.engine.version)
	}
	return o, err
}

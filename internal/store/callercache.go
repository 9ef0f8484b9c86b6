package store

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// walHeader identifies a state of a SQLite database: the header of its
// WAL-index, 48 bytes.
type walHeader [12]uint32

// follows reports whether exactly one commit lies between two states. The third
// word counts commits.
func (h walHeader) follows(before walHeader) bool { return h[2] == before[2]+1 }

// callerCache caches the facts that every signed call needs: the owners of
// access keys, the policies that apply to principals, and users. Few calls
// change them. An entry is only valid for the version of the database from
// which it was read. If any process revokes a key or detaches a policy, the
// very next call reads the database again.
type callerCache struct {
	mu      sync.Mutex
	version walHeader
	// remembered and read count the look-ups that the cache answered, and those
	// that it did not.
	remembered, read atomic.Uint64

	entries map[any]any // *KeyOwner by keyOwnerKey, *Grants by grantsKey, *User by userKey and userIDKey
}

// callerCacheSize limits the number of entries.
const callerCacheSize = 20_000

func (c *callerCache) get(key any, version walHeader) (any, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version != version {
		return nil, false
	}
	v, ok := c.entries[key]
	return v, ok
}

// put adds a value that was read at a version of the database, if the database
// still has that version.
func (c *callerCache) put(key, value any, version walHeader, now func() (walHeader, bool)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if current, ok := now(); !ok || current != version {
		return
	}
	if c.entries == nil || c.version != version {
		c.version, c.entries = version, map[any]any{}
	}
	makeRoom(c.entries)
	c.entries[key] = value
}

// makeRoom deletes a random entry if there are callerCacheSize of them, so nobody
// can empty a whole cache by filling it.
func makeRoom[K comparable, V any](entries map[K]V) {
	for other := range entries {
		if len(entries) < callerCacheSize {
			break
		}
		delete(entries, other)
	}
}

// keep keeps the entries after a commit of this store that changed none of
// them. before and after are the versions around the commit.
func (c *callerCache) keep(before, after walHeader) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version == before && after.follows(before) {
		c.version = after
	}
}

// remembered returns the result of read, which is a single statement. It uses
// the cache if the cached value is known to be current.
func remembered[T any](ctx context.Context, db *DB, key any, read func(*Tx) (*T, error)) (*T, error) {
	version, watched := db.engine.version()
	if watched {
		if v, ok := db.callers.get(key, version); ok {
			db.callers.remembered.Add(1)
			return v.(*T), nil
		}
	}
	db.callers.read.Add(1)
	var v *T
	err := db.Glance(ctx, func(tx *Tx) (err error) {
		v, err = read(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	if watched {
		db.callers.put(key, v, version, db.engine.version)
	}
	return v, nil
}

// changesCallers says whether a statement may change the result of KeyOwner,
// UserGrants, RoleGrants or User for an existing key or principal. It returns
// true for an unknown statement or table.
func changesCallers(sql string) bool {
	words := strings.Fields(sql)
	switch {
	case len(words) > 0 &&
		slices.Contains([]string{"SELECT", "BEGIN", "SAVEPOINT", "RELEASE", "COMMIT", "ROLLBACK"}, words[0]):
		return false
	case len(words) < 3:
		return true
	case words[0] == "INSERT" && words[1] == "INTO":
		return newRowChanges(words[2], strings.Contains(sql, "DO UPDATE"))
	case words[0] == "DELETE" && words[1] == "FROM":
		return rowChanges(words[2])
	case words[0] == "UPDATE":
		return !strings.HasPrefix(sql, countUserSQL+" WHERE ") && rowChanges(words[1])
	}
	return true
}

// callerPart says how a table affects the cached values.
type callerPart uint8

const (
	// noPart is for tables from which no cached value is read. Foreign keys
	// carry changes from other tables to these, never the other way.
	noPart callerPart = iota + 1
	// itself is for tables whose rows are users, roles, keys and accounts. A
	// new row does not affect the existing ones.
	itself
	// grant is for tables whose rows are part of Grants, including new rows.
	grant
)

// callerTables classifies all tables. A test compares them with the schema, so
// a new table must be classified. A table that is missing here empties the
// cache.
var callerTables = func() map[string]callerPart {
	parts := map[string]callerPart{}
	for part, names := range map[callerPart]string{
		itself: "accounts users access_keys roles",
		grant: `user_tags role_tags group_members user_groups policies policy_versions control_policies
			user_policies user_attachments user_boundaries group_policies group_attachments
			role_policies role_attachments role_boundaries`,
		noPart: `access_jobs access_key_last_used account_aliases account_limits account_settings code_guesses data_keys
			deletion_tasks instance_profile_roles instance_profile_tags instance_profiles login_profiles
			mfa_device_tags mfa_devices mfa_used_codes oidc_client_ids oidc_provider_tags oidc_providers outbox passkeys
			password_guesses password_history password_last_used password_policies policy_tags report_bases report_chunks
			report_jobs report_marks report_patches report_pieces report_recordings
			reports saml_private_keys saml_provider_tags saml_providers server_certificate_tags
			server_certificates service_last_used service_specific_credentials
			signin_pauses signin_places signin_sessions signin_tickets signing_certificates
			ssh_public_keys token_issuers token_keys tool_proofs tool_sessions trail_heads
			turns_0 turns_1 turns_2 turns_3 turns_4 turns_5 turns_6 turns_7`,
	} {
		for _, name := range strings.Fields(names) {
			parts[name] = part
		}
	}
	return parts
}()

// rowChanges says whether a changed or deleted row of a table may change a
// cached value.
func rowChanges(table string) bool { return callerTables[table] != noPart }

// newRowChanges is rowChanges for an insert.
func newRowChanges(table string, replaces bool) bool {
	return rowChanges(table) && (replaces || callerTables[table] != itself)
}

// keyOwnerKey is the cache key of an access key.
type keyOwnerKey string

// KeyOwner reads a key by id, of any account, with its owner, which is
// everything that a signed request needs. Callers must not change the secret.
func (db *DB) KeyOwner(ctx context.Context, id string) (KeyOwner, error) {
	o, err := remembered(ctx, db, keyOwnerKey(id), func(tx *Tx) (*KeyOwner, error) {
		o, err := tx.KeyOwner(id)
		return &o, err
	})
	if err != nil {
		return KeyOwner{}, err
	}
	return *o, nil
}

// userKey and userIDKey are the cache keys of a user.
type (
	userKey   struct{ account, nameKey string }
	userIDKey struct{ account, id string }
)

// User is Tx.User for a single call. Most calls of people concern a user, and
// need its path before the permission is checked.
func (db *DB) User(ctx context.Context, account, nameKey string) (User, error) {
	u, err := remembered(ctx, db, userKey{account, nameKey}, func(tx *Tx) (*User, error) {
		u, err := tx.User(account, nameKey)
		return &u, err
	})
	if err != nil {
		return User{}, err
	}
	return *u, nil
}

// UserByID is Tx.UserByID for a single call.
func (db *DB) UserByID(ctx context.Context, account, id string) (User, error) {
	u, err := remembered(ctx, db, userIDKey{account, id}, func(tx *Tx) (*User, error) {
		u, err := tx.UserByID(account, id)
		return &u, err
	})
	if err != nil {
		return User{}, err
	}
	return *u, nil
}

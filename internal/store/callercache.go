package store

import (
	"context"
	"slices"
	"strings"
	"sync"
)

// walHeader identifies a state of a SQLite database: the header of its
// WAL-index, 48 bytes.
type walHeader [12]uint32

// follows reports whether exactly one commit lies between two states. The third
// word counts commits.
func (h walHeader) follows(before walHeader) bool { return h[2] == before[2]+1 }

// callerCache remembers what is asked of the database for every signed call,
// who owns which access key, which policies reach whom and who is a user, for
// as long as nothing changed that: few calls do. An entry counts only for the
// version of the database it was read from, so a key that was revoked, or a
// policy that was detached, by any process is looked up again on the very next
// call.
type callerCache struct {
	mu      sync.Mutex
	version walHeader
	entries map[any]any // *KeyOwner by keyOwnerKey, *Grants by grantsKey, *User by userKey and userIDKey
}

// callerCacheSize bounds what is remembered.
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

// put adds what was read after the database had a version, which it must still
// have.
func (c *callerCache) put(key, value any, version walHeader, now func() (walHeader, bool)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if current, ok := now(); !ok || current != version {
		return
	}
	if c.entries == nil || c.version != version {
		c.version, c.entries = version, map[any]any{}
	}
	for other := range c.entries { // any of them: nobody can empty the whole cache by filling it
		if len(c.entries) < callerCacheSize {
			break
		}
		delete(c.entries, other)
	}
	c.entries[key] = value
}

// keep keeps the entries after a commit of this store that made one version
// from another and changed nothing of them.
func (c *callerCache) keep(before, after walHeader) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version == before && after.follows(before) {
		c.version = after
	}
}

// remembered returns the result of read, a single statement. It takes it from
// the cache if that is known to be what the database holds now.
func remembered[T any](ctx context.Context, db *DB, key any, read func(*Tx) (*T, error)) (*T, error) {
	version, watched := db.engine.version()
	if watched {
		if v, ok := db.callers.get(key, version); ok {
			return v.(*T), nil
		}
	}
	var v *T
	err := db.inTime(ctx, db.engine.glance, func(tx *Tx) (err error) {
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

// changesCallers says whether a statement may change what KeyOwner, UserGrants,
// RoleGrants or User answer for a key or a principal that is there. It is true of
// every statement, and of every table, that it does not know.
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

// callerPart says which part a table has in what is remembered.
type callerPart uint8

const (
	// noPart is of tables that nothing remembered is read from. Foreign keys
	// carry changes from the other tables to these, never the other way.
	noPart callerPart = iota + 1
	// itself is of tables whose rows are users, roles, keys and accounts: those
	// who were there know nothing of a new one.
	itself
	// grant is of tables whose rows are part of Grants, a new one too.
	grant
)

// callerTables say it of all tables. A test compares them with the schema: of a
// new table somebody has to think. One that is not here drops what is
// remembered.
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
			password_guesses password_history password_last_used password_policies policy_tags report_chunks
			report_jobs reports saml_private_keys saml_provider_tags saml_providers server_certificate_tags
			server_certificates service_last_used service_specific_credentials
			signin_pauses signin_places signin_sessions signin_tickets signing_certificates
			ssh_public_keys token_issuers token_keys tool_proofs tool_sessions
			turns_0 turns_1 turns_2 turns_3 turns_4 turns_5 turns_6 turns_7`,
	} {
		for _, name := range strings.Fields(names) {
			parts[name] = part
		}
	}
	return parts
}()

// rowChanges says whether a row of a table that is changed or deleted may
// change what is remembered.
func rowChanges(table string) bool { return callerTables[table] != noPart }

// newRowChanges is rowChanges for an insert.
func newRowChanges(table string, replaces bool) bool {
	return rowChanges(table) && (replaces || callerTables[table] != itself)
}

// keyOwnerKey names an access key in the cache.
type keyOwnerKey string

// KeyOwner reads a key by id, of any account, with its owner, all that one
// signed request needs. The secret must not be changed.
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

// userKey and userIDKey name a user in the cache.
type (
	userKey   struct{ account, nameKey string }
	userIDKey struct{ account, id string }
)

// User is Tx.User for one call: most calls of people are about a user, and need
// its path before the permission is checked.
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

// UserByID is Tx.UserByID for one call.
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

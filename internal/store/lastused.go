package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// LastUsed says when, where and for what an access key was last used.
type LastUsed struct {
	At      time.Time
	Region  string
	Service string // the service's namespace: iam, sts
}

// lastUsed collects facts about uses in memory, one for each credential and one
// for each action of a principal, and writes them in batches. Only these facts
// are acknowledged before they are durable: a crash loses at most those of one
// flushInterval, and at most twice as much if PostgreSQL crashes too.
type lastUsed struct {
	db   *DB
	span time.Duration // Config.UseSpan

	passwordSpan time.Duration // Config.PasswordSpan

	quit chan struct{}
	wait sync.WaitGroup

	flushing  sync.Mutex
	flushed   atomic.Int64 // when a flush last succeeded, in nanoseconds of Unix time
	mu        sync.Mutex
	keys      map[string]LastUsed
	passwords map[[2]string]time.Time

	services serviceUses
}

const flushInterval = time.Second

func (u *lastUsed) init(db *DB, span, passwordSpan time.Duration) {
	u.db, u.span, u.passwordSpan = db, span, passwordSpan
	u.quit = make(chan struct{})
	u.flushed.Store(time.Now().UnixNano())
	u.keys = map[string]LastUsed{}
	u.passwords = map[[2]string]time.Time{}
	u.wait.Go(func() {
		tick := time.NewTicker(flushInterval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				// Uses that cannot be written now are written the next time.
				_ = u.flush(context.Background())
			case <-u.quit:
				return
			}
		}
	})
}

func (u *lastUsed) close() error {
	select {
	case <-u.quit:
		return nil
	default:
	}
	close(u.quit)
	u.wait.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := u.flush(ctx)
	if errors.Is(err, ErrUnknown) { // writing a use twice does no harm
		err = u.flush(ctx)
	}
	return err
}

// KeyUsed notes that an access key was used. It never waits for the database;
// Flush does.
func (db *DB) KeyUsed(keyID string, use LastUsed) {
	u := &db.used
	u.mu.Lock()
	if have, ok := u.keys[keyID]; !ok || u.later(have.At, use.At) {
		u.keys[keyID] = use
	}
	u.mu.Unlock()
}

// PasswordUsed notes that a user signed in with a password.
func (db *DB) PasswordUsed(account, nameKey string, at time.Time) {
	u := &db.used
	u.mu.Lock()
	who := [2]string{account, nameKey}
	if have, ok := u.passwords[who]; !ok || laterBy(u.passwordSpan, have, at) {
		u.passwords[who] = at
	}
	u.mu.Unlock()
}

// later is laterBy for keys and services.
func (u *lastUsed) later(have, use time.Time) bool { return laterBy(u.span, have, use) }

// laterBy says whether a use replaces the noted one.
func laterBy(span time.Duration, have, use time.Time) bool {
	return unix(use) >= unix(have)+int64(span/time.Second) || ahead(have, use)
}

// ClockSkew is the maximum difference between the clocks of nodes, and between
// a client and a node. A time further ahead comes from a clock that has since
// stepped back, and is wrong.
const ClockSkew = 15 * time.Minute

// ahead reports whether a recorded time comes from a clock that has since
// stepped back.
func ahead(recorded, now time.Time) bool { return recorded.After(now.Add(ClockSkew)) }

// newer reports whether a use replaces the noted one.
func newer(have, use time.Time) bool { return have.Before(use) || ahead(have, use) }

// replaces is later in SQL: the new use, the recorded one, and the placeholder
// of the span.
func replaces(table, span string) string {
	return fmt.Sprintf(
		"(excluded.used >= %[1]s.used + %[2]s OR %[1]s.used > excluded.used + %[3]d)",
		table, span, int64(ClockSkew/time.Second))
}

// Flush writes what is pending, so that a transaction that starts now sees
// every use that was noted before on this node.
func (db *DB) Flush(ctx context.Context) error { return db.used.flush(ctx) }

func (u *lastUsed) flush(ctx context.Context) error {
	ctx = WithoutEvent(ctx)
	// Only one flush runs at a time. So when one returns, everything is
	// written.
	u.flushing.Lock()
	defer u.flushing.Unlock()
	err := errors.Join(u.flushCredentials(ctx), u.flushServices(ctx))
	if err == nil {
		u.flushed.Store(time.Now().UnixNano())
	}
	return err
}

func (u *lastUsed) flushCredentials(ctx context.Context) error {
	u.mu.Lock()
	keys, passwords := u.keys, u.passwords
	if len(keys)+len(passwords) == 0 {
		u.mu.Unlock()
		return nil
	}
	u.keys, u.passwords = map[string]LastUsed{}, map[[2]string]time.Time{}
	u.mu.Unlock()
	err := u.write(ctx, keys, passwords)
	if err == nil {
		return nil
	}
	for id, use := range keys {
		u.mu.Lock()
		if have, ok := u.keys[id]; !ok || newer(have.At, use.At) {
			u.keys[id] = use
		}
		u.mu.Unlock()
	}
	for who, at := range passwords {
		u.mu.Lock()
		if have, ok := u.passwords[who]; !ok || newer(have, at) {
			u.passwords[who] = at
		}
		u.mu.Unlock()
	}
	return err
}

// flushBatch limits one transaction of a flush, so that edits do not wait for
// it.
const flushBatch = 1000

func (u *lastUsed) write(ctx context.Context, keys map[string]LastUsed, passwords map[[2]string]time.Time) error {
	span := int64(u.span / time.Second)
	var args [][]any
	for id, use := range keys {
		args = append(args, []any{use.At, use.Region, use.Service, id, span})
	}
	// The key's owner is looked up here: the user may have been renamed since,
	// and the key deleted.
	err := u.writeBatches(ctx, args,
		`INSERT INTO access_key_last_used (account, name_key, key_id, used, region, service)
		SELECT account, name_key, key_id, CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS TEXT) FROM access_keys WHERE key_id = $4
		ON CONFLICT (account, name_key, key_id) DO UPDATE SET used = excluded.used, region = excluded.region, service = excluded.service
		WHERE `+replaces("access_key_last_used", "$5"))
	args, span = nil, int64(u.passwordSpan/time.Second)
	// A user that was created after the use is another user with the same name.
	for who, at := range passwords {
		args = append(args, []any{at, who[0], who[1], span})
	}
	return errors.Join(err, u.writeBatches(ctx, args, `INSERT INTO password_last_used (account, name_key, used)
		SELECT account, name_key, CAST($1 AS BIGINT) FROM users WHERE account = $2 AND name_key = $3 AND created <= $1
		ON CONFLICT (account, name_key) DO UPDATE SET used = excluded.used
		WHERE `+replaces("password_last_used", "$4")))
}

func (u *lastUsed) writeBatches(ctx context.Context, args [][]any, sql string) error {
	for len(args) > 0 {
		n := min(len(args), flushBatch)
		err := u.db.inTime(ctx, u.db.engine.updateSoon, func(tx *Tx) error { return tx.c.execMany(tx.ctx, sql, args[:n]) })
		if err != nil {
			return err
		}
		args = args[n:]
	}
	return nil
}

// KeyLastUsed reads the recorded last use of a key, or returns ErrNotFound.
// Call Flush first to include the pending uses of this node.
func (tx *Tx) KeyLastUsed(keyID string) (use LastUsed, err error) {
	err = tx.one([]any{&use.At, &use.Region, &use.Service},
		`SELECT u.used, u.region, u.service FROM access_keys k
		JOIN access_key_last_used u ON u.account = k.account AND u.name_key = k.name_key AND u.key_id = k.key_id
		WHERE k.key_id = $1`, keyID)
	return use, err
}

// PasswordLastUsed reads when a user last signed in, or returns ErrNotFound.
func (tx *Tx) PasswordLastUsed(account, nameKey string) (at time.Time, err error) {
	err = tx.one([]any{&at}, `SELECT used FROM password_last_used WHERE account = $1 AND name_key = $2`, account,
		nameKey)
	return at, err
}

// PasswordsLastUsed is PasswordLastUsed for many users, by their keys. It omits
// users whose password was never used.
func (tx *Tx) PasswordsLastUsed(account string, nameKeys []string) (map[string]time.Time, error) {
	type use struct {
		nameKey string
		at      time.Time
	}
	used := map[string]time.Time{}
	for batch := range slices.Chunk(nameKeys, keyBatch) {
		args := padded([]any{account}, batch)
		some, err := list(tx, func(u *use) []any {
			return []any{&u.nameKey, &u.at}
		}, `SELECT name_key, used FROM password_last_used
			WHERE account = $1 AND name_key IN (`+places(2, len(args)-1)+`)`, args...)
		if err != nil {
			return nil, err
		}
		for _, u := range some {
			used[u.nameKey] = u.at
		}
	}
	return used, nil
}

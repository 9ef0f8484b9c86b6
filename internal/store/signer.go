package store

import (
	"context"
	"errors"
	"sync"
)

// Signer reads an access key with its owner, as KeyOwner does, and may read what
// the owner's next call needs too: its grants, as UserGrants returns them, nil if
// they were not read. Callers must not change the result.
//
// If nothing says cheaply whether the database has changed, both are read with
// every call, and travel together. The grants of which user are needed is known
// from the last time. If the key belongs to another user now, they are dropped.
func (db *DB) Signer(ctx context.Context, id string) (o KeyOwner, g *Grants, err error) {
	if _, watched := db.engine.version(); watched {
		o, err = db.KeyOwner(ctx, id)
		return o, nil, err
	}
	expected, known := db.owners.get(id)
	if !known {
		o, err = db.KeyOwner(ctx, id)
	} else {
		db.callers.read.Add(1)
		err = db.inTime(ctx, db.engine.glance, func(tx *Tx) error {
			o, g, err = tx.signer(id, expected)
			return err
		})
	}
	switch now := (userKey{o.Key.Account, o.Key.NameKey}); {
	case errors.Is(err, ErrNotFound):
		db.owners.forget(id)
	case err == nil && now != expected:
		db.owners.put(id, now)
	}
	return o, g, err
}

// signer reads a key with its owner, and the grants of a user. Each statement has a
// snapshot of its own, so the user's id says whether both are about the same user.
func (tx *Tx) signer(id string, u userKey) (o KeyOwner, g *Grants, err error) {
	grants := statement{userVersionsSQL, []any{u.account, u.nameKey}}
	if u.nameKey == "" {
		grants = statement{rootPoliciesSQL, []any{u.account}}
	}
	var all []Grant
	err = tx.together([]exchange{{statement{keyOwnerSQL, []any{id}}, takeOne(keyOwnerFields(&o)...)},
		{grants, takeMany(&all, grantFields)}})
	o.User.Account, o.User.NameKey = o.Key.Account, o.Key.NameKey
	if err != nil {
		return o, nil, err
	}
	if u.nameKey == "" && u == (userKey{o.Key.Account, o.Key.NameKey}) {
		// The owner of the key is the row that was not read.
		all = append(all, Grant{Kind: selfRow, Group: o.User.ID, Name: o.User.Path, ARN: o.User.Name, Document: o.Instance})
	}
	found, err := gathered(all, u.nameKey)
	if errors.Is(err, ErrNotFound) || err == nil && found.ID != o.User.ID {
		return o, nil, nil // the key belongs to another user now
	}
	return o, &found, err
}

// keyOwners remembers whose a key was when it was last read. That is only a
// guess at what to read together with the key.
type keyOwners struct {
	mu sync.Mutex
	of map[string]userKey
}

func (k *keyOwners) get(id string) (userKey, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	u, ok := k.of[id]
	return u, ok
}

func (k *keyOwners) put(id string, u userKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.of == nil {
		k.of = map[string]userKey{}
	}
	makeRoom(k.of)
	k.of[id] = u
}

func (k *keyOwners) forget(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.of, id)
}

package store

import (
	"context"
	"errors"
)

// Signer reads an access key with its owner, as KeyOwner does, and may read what
// the owner's next call needs too: its grants, as UserGrants returns them, nil if
// they were not read. Callers must not change the result.
//
// If an engine has to be asked whether the database has changed, each call asks,
// alone or together with others. Both are read again if it has, and travel together. The grants of which user
// are needed is known from the last time. If the key belongs to another user now,
// they are dropped.
func (db *DB) Signer(ctx context.Context, id string) (o KeyOwner, g *Grants, err error) {
	if _, watched := db.engine.version(); watched {
		o, err = db.KeyOwner(ctx, id)
		return o, nil, err
	}
	s, ask := db.signers.get(id)
	if ask {
		now, err := db.states.get(ctx, db.databaseState)
		if err != nil {
			return o, nil, err
		}
		if db.signers.current(s, now) {
			db.callers.remembered.Add(1)
			return s.owner, s.grants, nil
		}
	}
	return db.readSigner(ctx, id, s)
}

// readSigner reads a key, and the grants of the user who had it before.
func (db *DB) readSigner(ctx context.Context, id string, before signer) (KeyOwner, *Grants, error) {
	db.callers.read.Add(1)
	s := signer{user: before.user, opened: before.opened}
	err := db.inTime(ctx, db.engine.glance, func(tx *Tx) (err error) {
		s.owner, s.grants, err = tx.signer(id, before.user, &s.state)
		return err
	})
	switch now := (userKey{s.owner.Key.Account, s.owner.Key.NameKey}); {
	case errors.Is(err, ErrNotFound):
		db.signers.forget(id)
	case err == nil && now != before.user:
		db.signers.put(id, signer{user: now})
	case err == nil:
		db.signers.put(id, s)
	}
	return s.owner, s.grants, err
}

// signer reads a key with its owner, and the grants of a user, if it is known.
// Each statement has a snapshot of its own, so the user's id says whether both are
// about the same user. The state of the database is read before them, so that what
// they have read is never older.
func (tx *Tx) signer(id string, u userKey, state *databaseState) (o KeyOwner, g *Grants, err error) {
	var all []exchange
	if tx.state != "" {
		all = append(all, exchange{statement{sql: tx.state}, state.take})
	}
	all = append(all, exchange{statement{keyOwnerSQL, []any{id}}, takeOne(keyOwnerFields(&o)...)})
	var policies []Grant
	switch {
	case u.account == "":
	case u.nameKey == "":
		all = append(all, exchange{statement{rootPoliciesSQL, []any{u.account}}, takeMany(&policies, grantFields)})
	default:
		all = append(all, exchange{statement{userVersionsSQL, []any{u.account, u.nameKey}},
			takeMany(&policies, grantFields)})
	}
	err = tx.together(all)
	o.User.Account, o.User.NameKey = o.Key.Account, o.Key.NameKey
	if err != nil || u.account == "" {
		return o, nil, err
	}
	if u.nameKey == "" && u == (userKey{o.Key.Account, o.Key.NameKey}) {
		// The owner of the key is the row that was not read.
		policies = append(policies,
			Grant{Kind: selfRow, Group: o.User.ID, Name: o.User.Path, ARN: o.User.Name, Document: o.Instance})
	}
	found, err := gathered(policies, u.nameKey)
	if errors.Is(err, ErrNotFound) || err == nil && found.ID != o.User.ID {
		return o, nil, nil // the key belongs to another user now
	}
	return o, &found, err
}

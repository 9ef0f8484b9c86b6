package identity

import (
	"context"

	"rollcall/internal/store"
)

// entity is a user, a group or a role that has policies.
type entity struct {
	kind                   store.Entity
	account, nameKey, name string
}

// findEntity reads the entity that an action names. change says that the action
// changes it, which the roles of AWS's services do not allow.
func findEntity(tx *store.Tx, kind store.Entity, account, name string, change bool) (e entity, err error) {
	e = entity{kind: kind, account: account, nameKey: fold(name)}
	switch kind {
	case store.UserEntity:
		var u store.User
		u, err = user(tx, account, name)
		e.name = u.Name
	case store.GroupEntity:
		var g store.Group
		g, err = group(tx, account, name)
		e.name = g.Name
	default:
		find := role
		if change {
			find = modifiableRole
		}
		var r store.Role
		r, err = find(tx, account, name)
		e.name = r.Name
	}
	return e, err
}

// viewEntity runs fn with the entity in a read transaction.
func (s *Service) viewEntity(
	ctx context.Context, kind store.Entity, account, name string, fn func(*store.Tx, entity) error,
) error {
	return s.db.View(ctx, func(tx *store.Tx) error {
		e, err := findEntity(tx, kind, account, name, false)
		if err != nil {
			return err
		}
		return fn(tx, e)
	})
}

// updateEntity runs fn with the entity in a transaction that changes it.
func (s *Service) updateEntity(
	ctx context.Context, kind store.Entity, account, name string, fn func(*store.Tx, entity) error,
) error {
	return s.db.Update(ctx, func(tx *store.Tx) error {
		e, err := findEntity(tx, kind, account, name, true)
		if err != nil {
			return err
		}
		return fn(tx, e)
	})
}

package identity

import (
	"context"
	"fmt"

	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// RotateMasterKey makes a new master key and wraps every data key by it, while
// this service and others serve: no secret is sealed again. A rotation that a
// crash interrupted is finished, and no other begun. When it returns, the
// master key file holds the new key alone, and only then copies of the old file
// are worth nothing.
func (s *Service) RotateMasterKey(ctx context.Context, master *seal.MasterKeys) error {
	if err := s.rotateMasterKey(ctx, master); err != nil {
		return fmt.Errorf("rotate master key: %w", err)
	}
	return nil
}

func (s *Service) rotateMasterKey(ctx context.Context, master *seal.MasterKeys) error {
	// Another installation's file must be refused before it is changed.
	var keys []seal.WrappedKey
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		keys, err = tx.DataKeys()
		return err
	})
	if err != nil {
		return err
	}
	if _, err := seal.NewKeyring(master, keys); err != nil {
		return err
	}
	if _, pending := master.PreviousID(); !pending {
		if err := master.AddNew(ctx); err != nil {
			return err
		}
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		keys, err := tx.DataKeys()
		if err != nil {
			return err
		}
		for _, old := range keys {
			k, err := seal.Rewrap(old, master)
			if err != nil {
				return err
			}
			if k.MasterKeyID == old.MasterKeyID {
				continue
			}
			if err := tx.RewrapDataKey(k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	// What was acknowledged is durable, so nothing needs the old key any more.
	return master.DropPrevious(ctx)
}

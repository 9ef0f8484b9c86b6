package identity

import (
	"context"
	"fmt"

	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// RotateMasterKey creates a new master key and wraps every data key with it,
// while this service and others continue to work. No secret is sealed again. If
// a crash interrupted a rotation, it finishes that rotation and does not begin
// another. When it returns, the master key file holds only the new key, and
// copies of the old file have become useless.
func (s *Service) RotateMasterKey(ctx context.Context, master *seal.MasterKeys) error {
	if err := s.rotateMasterKey(ctx, master); err != nil {
		return fmt.Errorf("rotate master key: %w", err)
	}
	return nil
}

func (s *Service) rotateMasterKey(ctx context.Context, master *seal.MasterKeys) error {
	// Refuse another installation's file before changing it.
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
	// The new wrappings are durable, so nothing needs the old key any more.
	return master.DropPrevious(ctx)
}

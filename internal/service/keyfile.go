package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// ErrNoMasterKey says that the store contains secrets, but their master key is
// not at its expected place. Its text is for the operator.
var ErrNoMasterKey = errors.New(
	"the master key file is missing, and without it the secrets in the store cannot be read")

// keyFile reads the master key of a store from a file. If the file is missing,
// an empty store gets a new one. For a store with secrets the error is
// ErrNoMasterKey, because a new key could not open them. Whether the key is the
// right one shows when the secrets are opened: seal.ErrWrongMasterKey.
func keyFile(ctx context.Context, db *store.DB, path string) (*seal.MasterKeys, error) {
	if err := seal.CleanMasterKeys(ctx, path); err != nil {
		return nil, err
	}
	master, err := seal.LoadMasterKeys(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return master, err
	}
	var used bool
	err = db.View(ctx, func(tx *store.Tx) error {
		keys, err := tx.DataKeys()
		used = len(keys) > 0
		return err
	})
	if err != nil {
		return nil, err
	}
	// Another process that starts on this store may have been faster.
	if used {
		if master, err = seal.LoadMasterKeys(path); errors.Is(err, fs.ErrNotExist) {
			err = ErrNoMasterKey
		}
		return master, err
	}
	if master, err = seal.CreateMasterKeys(ctx, path); errors.Is(err, fs.ErrExist) {
		return seal.LoadMasterKeys(path)
	}
	return master, err
}

// KeysReady returns an error unless the master key file exists and opens the
// secrets of the store, so that the service could start again. Open secrets do
// not need the file.
func (s *Service) KeysReady(ctx context.Context) error {
	if s.masterFile == "" {
		return nil
	}
	master, err := seal.LoadMasterKeys(s.masterFile)
	if err != nil {
		return err
	}
	return s.db.View(ctx, func(tx *store.Tx) error {
		keys, err := tx.DataKeys()
		if err != nil {
			return err
		}
		if _, err = seal.NewKeyring(master, keys); err != nil {
			return fmt.Errorf("%s: %w", s.masterFile, err)
		}
		return nil
	})
}

package service_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
	"rollcall/internal/trail"
)

func openWithFile(db store.Config, file string) (*service.Service, error) {
	none, err := trail.Open("off")
	if err != nil {
		return nil, err
	}
	return service.Open(context.Background(), service.Config{Store: db, MasterFile: file, Trail: none})
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, db store.Config) {
		if db.Memory {
			return // deleted when it is closed
		}
		file := filepath.Join(t.TempDir(), "master.key")
		// Processes that start on an empty store at the same time agree on one
		// key.
		var wait sync.WaitGroup
		var errs [4]error
		for i := range errs {
			wait.Go(func() {
				s, err := openWithFile(db, file)
				if err == nil {
					err = s.Close()
				}
				errs[i] = err
			})
		}
		wait.Wait()
		if err := errors.Join(errs[:]...); err != nil {
			t.Fatal(err)
		}
		s, err := openWithFile(db, file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.IAM.CreateAccount(t.Context(), identity.AccountSpec{}); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}

		other := filepath.Join(t.TempDir(), "master.key")
		if _, err := openWithFile(db, other); !errors.Is(err, service.ErrNoMasterKey) {
			t.Errorf("without its file: %v", err)
		}
		if _, err := os.Stat(other); err == nil {
			t.Error("a new key was created for a store that has one")
		}
		if _, err := seal.CreateMasterKeys(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		if _, err := openWithFile(db, other); !errors.Is(err, seal.ErrWrongMasterKey) {
			t.Errorf("with another's file: %v", err)
		}
	})
}

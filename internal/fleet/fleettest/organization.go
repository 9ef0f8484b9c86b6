// Package fleettest is an organization of AWS accounts for tests: accounts on
// the real service, and before it a front that answers what the service does
// not serve, makes faults, and watches who asks for what.
package fleettest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// ID is the organization's id, Role the role that every member has.
const (
	ID   = "o-exampleorgid"
	Role = "OrganizationAccountAccessRole"
)

// Account is an account of the organization.
type Account struct {
	ID    string // twelve digits
	Name  string
	Fault Fault
}

// Config says what to make.
type Config struct {
	// Accounts are the members; the first is the management account.
	Accounts  []Account
	Partition string // "" is aws
	// Users is how many users each account gets; where there are any, the
	// service keeps its data in a file and not in memory.
	Users int
	// ExternalID is what AssumeRole asks for, "" for nothing.
	ExternalID string
}

// Key is an access key.
type Key struct{ ID, Secret string }

// Call is a call that the front got.
type Call struct {
	Account string // which it is about
	Action  string
	Key     string // access key id that signed it
	At      time.Time
}

// Organization is a running organization.
type Organization struct {
	URL    string // of IAM, STS and Organizations
	Caller Key    // of the management account

	cfg      Config
	handler  http.Handler
	mu       sync.Mutex
	faults   map[string]*Fault
	keys     map[string]Key    // of each account
	owners   map[string]string // the account of each key
	calls    []Call
	breaches []string
}

// New starts an organization that ends with the test.
func New(t testing.TB, cfg Config) *Organization {
	t.Helper()
	o := &Organization{cfg: cfg, faults: map[string]*Fault{}, keys: map[string]Key{}, owners: map[string]string{}}
	database := store.Config{Memory: true}
	if cfg.Users > 0 {
		database = store.Config{Path: filepath.Join(t.TempDir(), "rollcall.db")}
	}
	off, err := trail.Open("off")
	if err != nil {
		t.Fatal(err)
	}
	s, err := service.Open(context.Background(), service.Config{
		Store: database, Master: seal.InMemoryMasterKeys(), Trail: off,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range cfg.Accounts {
		if err := o.add(s, a); err != nil {
			t.Fatal(err)
		}
	}
	if cfg.Users > 0 {
		if err := seed(database, cfg); err != nil {
			t.Fatal(err)
		}
	}
	o.handler = s.Handler
	o.Caller = o.keys[cfg.Accounts[0].ID]
	server := httptest.NewServer(http.HandlerFunc(o.front))
	o.URL = server.URL
	t.Cleanup(func() {
		server.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

func (o *Organization) add(s *service.Service, a Account) error {
	made, err := s.IAM.CreateAccount(context.Background(), identity.AccountSpec{ID: a.ID, Partition: o.cfg.Partition})
	if err != nil {
		return fmt.Errorf("account %s: %w", a.ID, err)
	}
	fault := a.Fault
	o.faults[a.ID] = &fault
	o.keys[a.ID] = Key{made.RootKey.ID, made.RootKey.Secret.Reveal()}
	o.owners[made.RootKey.ID] = a.ID
	return nil
}

// seed gives every account its users, each with an access key of its own.
func seed(database store.Config, cfg Config) error {
	db, err := store.Open(context.Background(), database)
	if err != nil {
		return err
	}
	for _, a := range cfg.Accounts {
		err := db.Update(context.Background(), func(tx *store.Tx) error {
			for i := range cfg.Users {
				name := fmt.Sprintf("user-%04d", i)
				u := store.User{Account: a.ID, NameKey: name, Name: name, Path: "/", ID: fmt.Sprintf("AIDA%s%05d", a.ID, i), Created: tx.Now}
				k := store.AccessKey{Account: a.ID, NameKey: name, ID: fmt.Sprintf("AKIA%s%04d", a.ID, i), Status: "Active", Created: tx.Now, Secret: make([]byte, 77)}
				if err := errors.Join(tx.InsertUser(u), tx.InsertAccessKey(k)); err != nil {
					return err
				}
			}
			_, err := tx.CountUser(a.ID, cfg.Users)
			return err
		})
		if err != nil {
			return errors.Join(fmt.Errorf("seed account %s: %w", a.ID, err), db.Close())
		}
	}
	return db.Close()
}

// SetFault changes what goes wrong with an account from now on.
func (o *Organization) SetFault(account string, f Fault) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.faults[account] = &f
}

// Remove takes an account out of the organization.
func (o *Organization) Remove(account string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var rest []Account
	for _, a := range o.cfg.Accounts {
		if a.ID != account {
			rest = append(rest, a)
		}
	}
	o.cfg.Accounts = rest
}

// Calls are the calls there were, in their order, and from here on none.
func (o *Organization) Calls() []Call {
	o.mu.Lock()
	defer o.mu.Unlock()
	calls := o.calls
	o.calls = nil
	return calls
}

// Breaches are the calls that nobody should have made: a role assumed with
// other keys than the caller's, or for more than reports; an account that is
// not active asked at all.
func (o *Organization) Breaches() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.breaches
}

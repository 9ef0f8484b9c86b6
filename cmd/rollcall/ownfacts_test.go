package main

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"rollcall/internal/audit"
	"rollcall/internal/enrich"
	"rollcall/internal/fleet"
	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// furnish creates users with facts of every kind in an account: several of each, in
// each state, and none.
func furnish(account string, now time.Time) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		user := func(name, key string) error {
			return tx.InsertUser(store.User{Account: account, NameKey: key, Name: name, Path: "/",
				ID: "AIDA" + name, Created: now})
		}
		secret, arn := make([]byte, 77), "arn:aws:iam::"+account
		device := func(serial, id, key string) error {
			d := store.MFADevice{Account: account, Serial: arn + serial, ID: id, NameKey: key, Seed: secret,
				Created: now, Enabled: now}
			return errors.Join(tx.InsertMFADevice(d), tx.AssignMFADevice(d))
		}
		ssh := func(id, status string) error {
			return tx.InsertSSHPublicKey(store.SSHPublicKey{Account: account, NameKey: "bob", ID: id, Body: id,
				Fingerprint: id, Digest: id, Status: status, Uploaded: now})
		}
		special := func(id, status string, expires time.Time) error {
			return tx.InsertServiceCredential(store.ServiceCredential{Account: account, NameKey: "bob", ID: id,
				Service: "codecommit.amazonaws.com", ServiceUser: id, Secret: secret, Status: status, Created: now,
				Expires: expires})
		}
		return errors.Join(
			user("amy", "amy"), user("Bob", "bob"), user("zoe", "zoe"),
			tx.InsertAccessKey(store.AccessKey{Account: account, NameKey: "bob", ID: "AKIA2", Status: "Active",
				Created: now, Secret: secret}),
			tx.InsertAccessKey(store.AccessKey{Account: account, NameKey: "bob", ID: "AKIA1", Status: "Inactive",
				Created: now, Secret: secret}),
			device(":mfa/second", "2", "bob"), device(":mfa/first", "1", "bob"), device(":mfa/zoe", "4", "zoe"),
			tx.InsertPasskey(store.Passkey{Account: account, NameKey: "bob", Serial: arn + ":u2f/user/Bob/key", ID: "3",
				CredentialID: "c", Credential: []byte("{}"), Enabled: now}),
			tx.SetTag(store.UserTags, account, "bob", store.Tag{Fold: "team", Key: "Team", Value: "sales"}),
			tx.SetTag(store.UserTags, account, "bob", store.Tag{Fold: "empty", Key: "empty"}),
			ssh("APKA2", "Active"), ssh("APKA1", "Inactive"),
			special("ACCA1", "Active", time.Time{}), special("ACCA2", "Inactive", time.Time{}),
			special("ACCA3", "Active", now.Add(-time.Hour)), special("ACCA4", "Active", now.Add(time.Hour)),
		)
	}
}

// TestStoredFactsAreThoseOfTheAPI compares the facts that an operator reads out of the
// store with those that the API gives about the same account.
func TestStoredFactsAreThoseOfTheAPI(t *testing.T) {
	t.Parallel()
	const account, other = "123456789012", "210987654321"
	ctx, now := t.Context(), time.Now().Truncate(time.Second)
	config := store.Config{Path: filepath.Join(t.TempDir(), "rollcall.db")}
	off, err := trail.Open("off")
	if err != nil {
		t.Fatal(err)
	}
	s, err := service.Open(ctx, service.Config{Store: config, Master: seal.InMemoryMasterKeys(), Trail: off})
	if err != nil {
		t.Fatal(err)
	}
	made, err := s.IAM.CreateAccount(ctx, identity.AccountSpec{ID: account})
	if err == nil {
		_, err = s.IAM.CreateAccount(ctx, identity.AccountSpec{ID: other})
	}
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler)
	t.Cleanup(func() {
		server.Close()
		if err := errors.Join(db.Close(), s.Close()); err != nil {
			t.Error(err)
		}
	})
	client := iam.New(iam.Options{Region: "us-east-1", BaseEndpoint: &server.URL, HTTPClient: fleet.HTTPClient(nil),
		Credentials: credentials.NewStaticCredentialsProvider(made.RootKey.ID, made.RootKey.Secret.Reveal(), "")})
	own := &ownRun{service: s}
	compare := func(kinds []enrich.Kind) *audit.Enrichment {
		t.Helper()
		byAPI, err := enrich.Reading{Kinds: kinds}.Read(ctx, client)
		if err != nil || enrich.Missing(byAPI) != "" {
			t.Fatalf("%+v, %v", byAPI, err)
		}
		stored := &audit.Enrichment{}
		own.enrich(ctx, account, kinds, stored)
		if d := cmp.Diff(byAPI, stored); d != "" {
			t.Errorf("%s: by the API, and out of the store: %s", kinds, d)
		}
		return stored
	}
	compare(enrich.Kinds) // there are no users
	if err := db.Update(ctx, furnish(account, now)); err != nil {
		t.Fatal(err)
	}
	for _, k := range enrich.Kinds {
		compare([]enrich.Kind{k})
	}
	got := compare(enrich.Kinds)
	if bob := got.Users["Bob"]; len(bob.Keys) != 2 || len(bob.MFA) != 3 || len(bob.Tags) != 2 ||
		len(bob.ServiceCredentials) != 6 || got.RootVirtualMFA != audit.No || len(got.Users) != 3 {
		t.Errorf("%+v", got)
	}
	err = db.Update(ctx, func(tx *store.Tx) error {
		d := store.MFADevice{Account: account, Serial: "arn:aws:iam::" + account + ":mfa/mine", ID: "5", Seed: []byte{1},
			Created: now, Enabled: now}
		return errors.Join(tx.InsertMFADevice(d), tx.AssignMFADevice(d))
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := compare([]enrich.Kind{enrich.MFA}); got.RootVirtualMFA != audit.Yes {
		t.Errorf("root's MFA: %v", got.RootVirtualMFA)
	}

	// More users than fit a page.
	err = db.Update(ctx, func(tx *store.Tx) (err error) {
		for i := range 2100 {
			name := fmt.Sprintf("many%04d", i)
			err = errors.Join(err, tx.InsertUser(store.User{Account: account, NameKey: name, Name: name, Path: "/p/",
				ID: "AIDA" + name, Created: now}))
		}
		return errors.Join(err, tx.SetTag(store.UserTags, account, "many2099", store.Tag{Fold: "k", Key: "k"}))
	})
	if err != nil {
		t.Fatal(err)
	}
	stored := &audit.Enrichment{}
	own.enrich(ctx, account, enrich.Kinds, stored)
	if len(stored.Users) != 2103 || len(stored.Users["many2099"].Tags) != 1 || enrich.Missing(stored) != "" {
		t.Errorf("%d users, %q", len(stored.Users), enrich.Missing(stored))
	}
	own.enrich(ctx, other, enrich.Kinds, stored)
	if len(stored.Users) != 0 {
		t.Errorf("another account has %d users", len(stored.Users))
	}
}

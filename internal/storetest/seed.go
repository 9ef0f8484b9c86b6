package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rollcall/internal/store"
)

// Seed adds n users to an account in the proportions for which figures are
// quoted: 60 % have an access key, half of those a second one, two thirds of
// the keys were used, half of the users have a password, a third an MFA device,
// one in fifty a certificate. Secrets are not real: nobody can sign with them.
func Seed(ctx context.Context, db *store.DB, account string, n int) error {
	const batch = 2000
	ctx = store.Patiently(ctx, 0)
	for from := 0; from < n; from += batch {
		err := db.Update(ctx, func(tx *store.Tx) error {
			for i := from; i < min(from+batch, n); i++ {
				if err := seedUser(tx, account, i); err != nil {
					return err
				}
			}
			_, err := tx.CountUser(account, min(batch, n-from))
			return err
		})
		if err != nil {
			return fmt.Errorf("seed users: %w", err)
		}
	}
	// Uses are recorded as usual.
	for i := range n {
		for k := range seedKeys(i) {
			if (i+k)%3 != 0 {
				db.KeyUsed(SeedKey(i, k),
					store.LastUsed{At: seedTime(i).Add(time.Hour), Region: "us-east-1", Service: "s3"})
			}
		}
		if i%50_000 == 0 {
			if err := db.Flush(ctx); err != nil {
				return err
			}
		}
	}
	return db.Flush(ctx)
}

func seedTime(i int) time.Time {
	return time.Date(2024, 1, 1, 0, 0, i, 0, time.UTC)
}

func seedKeys(i int) int {
	switch i % 10 {
	case 0, 1, 2:
		return 2
	case 3, 4, 5:
		return 1
	}
	return 0
}

// SeedKey is the id of a key of a user that Seed has added.
func SeedKey(i, k int) string { return fmt.Sprintf("AKIA%015d%d", i, k) }

func seedUser(tx *store.Tx, account string, i int) error {
	name := fmt.Sprintf("user-%07d", i)
	u := store.User{Account: account, NameKey: name, Name: name, Path: "/division/engineering/department/platform/",
		ID: fmt.Sprintf("AIDA%017d", i), Created: seedTime(i)}
	if err := tx.InsertUser(u); err != nil {
		return err
	}
	for k := range seedKeys(i) {
		key := store.AccessKey{Account: account, NameKey: name, ID: SeedKey(i, k), Status: "Active",
			Created: seedTime(i), Secret: make([]byte, 77)}
		if err := tx.InsertAccessKey(key); err != nil {
			return err
		}
	}
	if i%2 == 0 {
		p := store.LoginProfile{Account: account, NameKey: name, Hash: "$argon2id$seed", Created: seedTime(i),
			Changed: seedTime(i)}
		if err := tx.InsertLoginProfile(p); err != nil {
			return err
		}
	}
	if i%3 == 0 {
		d := store.MFADevice{Account: account, Serial: "arn:aws:iam::" + account + ":mfa/" + name,
			ID: fmt.Sprintf("seed%08d", i), Assigned: true, NameKey: name, Seed: make([]byte, 101),
			Created: seedTime(i), Enabled: seedTime(i)}
		if err := errors.Join(tx.InsertMFADevice(d), tx.AssignMFADevice(d)); err != nil {
			return err
		}
	}
	if i%50 == 0 {
		c := store.SigningCertificate{Account: account, NameKey: name, ID: fmt.Sprintf("CERT%028d", i), Body: "seed",
			Status: "Active", Uploaded: seedTime(i)}
		if err := tx.InsertSigningCertificate(c); err != nil {
			return err
		}
	}
	return nil
}

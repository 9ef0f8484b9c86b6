package identity

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// Passkey is a FIDO device whose enrolment has been verified.
type Passkey struct {
	CredentialID string          // base64url
	Credential   json.RawMessage // verifies later answers; it contains no secret
	SignCount    uint32
}

type passkeyContext struct{}

// WithPasskey makes EnableMFADevice assign a passkey that was verified outside
// of the call, in place of a device that shows codes. AWS enrols passkeys only
// in its console, and names that EnableMFADevice in its trail.
func WithPasskey(ctx context.Context, p *Passkey) context.Context {
	return context.WithValue(ctx, passkeyContext{}, p)
}

func passkeyOf(ctx context.Context) *Passkey {
	p, _ := ctx.Value(passkeyContext{}).(*Passkey)
	return p
}

// PasskeySerial creates the serial number of a passkey of a user ("" for root)
// with a label that its owner chose. The serial does not change when the user is
// renamed.
func PasskeySerial(c principal.Caller, userName, label string) string {
	prefix := "arn:" + c.Partition() + ":iam::" + c.Account() + ":u2f/"
	random := seal.NewID("", 26)
	if userName == "" {
		return prefix + rootDeviceName + "-" + label + "-" + random
	}
	return prefix + "user/" + userName + "/" + label + "-" + random
}

// isPasskeySerial says whether a serial has the form of a passkey's serial in
// the caller's account.
func isPasskeySerial(c principal.Caller, serial string) bool {
	return strings.HasPrefix(serial, "arn:"+c.Partition()+":iam::"+c.Account()+":u2f/")
}

// userDevices reads the enabled devices of both kinds of a user, in order of
// their age.
func userDevices(tx *store.Tx, account, nameKey string) ([]MFADevice, error) {
	virtual, err := tx.UserMFADevices(account, nameKey)
	if err != nil {
		return nil, err
	}
	passkeys, err := tx.UserPasskeys(account, nameKey)
	if err != nil {
		return nil, err
	}
	all := make([]MFADevice, 0, len(virtual)+len(passkeys))
	for _, d := range virtual {
		all = append(all, MFADevice{Serial: d.Serial, Enabled: d.Enabled, id: d.ID})
	}
	for _, p := range passkeys {
		all = append(all, MFADevice{Serial: p.Serial, Passkey: true, Enabled: p.Enabled, id: p.ID})
	}
	slices.SortFunc(all, func(a, b MFADevice) int { return cmp.Compare(a.id, b.id) })
	return all, nil
}

// enablePasskey assigns a passkey to a user.
func (s *Service) enablePasskey(ctx context.Context, in *iam.EnableMFADeviceInput, p *Passkey) error {
	c := principal.Of(ctx)
	return s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := deviceUser(tx, c, in.UserName, *in.SerialNumber)
		if err != nil {
			return err
		}
		if err := mayManageOwn(tx, c, u); err != nil {
			return err
		}
		have, err := userDevices(tx, u.Account, u.NameKey)
		if err != nil {
			return err
		}
		if err := checkQuota(tx, u.Account, mfaDevicesPerUser, len(have)+1); err != nil {
			return err
		}
		err = tx.InsertPasskey(store.Passkey{
			Account: u.Account, NameKey: u.NameKey, Serial: *in.SerialNumber, ID: newDeviceID(tx.Now),
			CredentialID: p.CredentialID, Credential: p.Credential, SignCount: int64(p.SignCount), Enabled: tx.Now,
		})
		if errors.Is(err, store.ErrExists) {
			return fail("EntityAlreadyExists", "MFA Device is already in use.")
		}
		return err
	})
}

// passkey reads a passkey that must belong to the user.
func passkey(tx *store.Tx, u store.User, serial string) (store.Passkey, error) {
	p, err := tx.Passkey(u.Account, serial)
	if errors.Is(err, store.ErrNotFound) {
		return p, errNoDevice(serial)
	}
	if err == nil && p.NameKey != u.NameKey {
		err = isOf(tx, u, store.MFADevice{})
	}
	return p, err
}

// UsePasskey finds a passkey of a user by its credential and lets check verify
// its answer. The number of uses must have grown, unless the device does not
// count. A copied device is noticed by that.
func (s *Service) UsePasskey(ctx context.Context, account, nameKey, credentialID string, signCount uint32) error {
	return s.db.Update(ctx, func(tx *store.Tx) error {
		all, err := tx.UserPasskeys(account, nameKey)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(p store.Passkey) bool { return p.CredentialID == credentialID })
		if i < 0 {
			return store.ErrNotFound
		}
		if n := int64(signCount); n <= all[i].SignCount && (n != 0 || all[i].SignCount != 0) {
			return ErrClonedPasskey
		}
		return tx.CountPasskeyUse(account, all[i].Serial, int64(signCount))
	})
}

// ErrClonedPasskey says that a passkey counts fewer uses than it has had, so
// there may be a copy of it.
var ErrClonedPasskey = errors.New("the passkey counts fewer uses than it has had")

// Passkeys reads the passkeys of a user.
func (s *Service) Passkeys(ctx context.Context, account, nameKey string) (all []store.Passkey, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.UserPasskeys(account, nameKey)
		return err
	})
	return all, err
}

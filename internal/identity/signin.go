package identity

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/access"
	"rollcall/internal/awsmodel"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// Signing in uses these functions of IAM. The order of its steps is in package
// signin.

// Person is a user, or root, who may sign in.
type Person struct {
	store.Owner
	Profile store.LoginProfile // zero if the person has no password
	Devices []MFADevice
	policy  store.PasswordPolicy // of the account; zero if it has none, and for root
}

// MFADevice is an enabled device of either kind.
type MFADevice struct {
	Serial  string
	Passkey bool // or a security key; other devices show codes
	Enabled time.Time
	id      string
}

// IsRoot says whether the person is the account's root user.
func (p *Person) IsRoot() bool { return p.User.NameKey == "" }

// PasswordExpires returns the time at which the person's password expires, zero
// for never. hard says that the person cannot choose another password then.
func (p *Person) PasswordExpires() (at time.Time, hard bool) {
	if p.policy.MaxAge == 0 {
		return time.Time{}, false
	}
	const day = 24 * time.Hour
	return p.Profile.Changed.Add(time.Duration(p.policy.MaxAge) * day), p.policy.HardExpiry == store.HardExpiryTrue
}

// AccountNamed finds an account by its number or its alias. It returns "" if
// there is none.
func (s *Service) AccountNamed(ctx context.Context, name string) (id string, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) error {
		account, err := absent(tx.Account(name))
		if id = account.ID; err != nil || id != "" {
			return err
		}
		id, err = absent(tx.AliasOwner(strings.ToLower(name)))
		return err
	})
	return id, err
}

// Person finds a user of an account by name, or its root user. If there is none
// the error is store.ErrNotFound.
func (s *Service) Person(ctx context.Context, account, name string, root bool) (*Person, error) {
	if !root && name == "" {
		return nil, store.ErrNotFound // root has the empty name
	}
	if root {
		name = ""
	}
	var p *Person
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		p, err = ReadPerson(tx, account, fold(name))
		return err
	})
	return p, err
}

// ReadPerson is Person within a transaction, by the folded name. "" is root.
func ReadPerson(tx *store.Tx, account, nameKey string) (*Person, error) {
	p := &Person{}
	a, err := tx.Account(account)
	if err != nil {
		return nil, err
	}
	p.Partition, p.Instance = a.Partition, a.Instance
	if p.User, err = tx.User(account, nameKey); err != nil {
		return nil, err
	}
	if p.Profile, err = absent(tx.LoginProfile(account, nameKey)); err != nil {
		return nil, err
	}
	if !p.IsRoot() {
		if p.policy, err = absent(tx.PasswordPolicy(account)); err != nil {
			return nil, err
		}
	}
	p.Devices, err = userDevices(tx, account, nameKey)
	return p, err
}

// CheckPassword says whether a password is the person's. If there is no person
// or no password, it takes the same time and returns false. A right password
// whose hash has older parameters is hashed again.
func (s *Service) CheckPassword(ctx context.Context, p *Person, pw seal.Secret) (bool, error) {
	if p == nil || p.Profile.Hash == "" {
		return false, s.hasher.VerifyNothing(ctx, pw)
	}
	ok, stale, err := s.hasher.VerifyPassword(ctx, p.Profile.Hash, pw)
	if stale {
		return s.hashAgain(ctx, p, pw)
	}
	return ok, err
}

// hashAgain stores a new hash of a person's password, which is right. If
// another caller has changed the hash in the meantime, the new hash decides
// whether the password is still right.
func (s *Service) hashAgain(ctx context.Context, p *Person, pw seal.Secret) (bool, error) {
	account, nameKey := p.User.Account, p.User.NameKey
	hash, err := s.hasher.HashPassword(ctx, pw)
	if err != nil {
		return false, err
	}
	moved := false
	err = s.db.Update(store.WithoutEvent(ctx), func(tx *store.Tx) error {
		moved = false
		err := tx.ReplacePasswordHash(account, nameKey, p.Profile.Hash, hash)
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		moved = true
		now, err := absent(tx.LoginProfile(account, nameKey))
		hash = now.Hash
		return err
	})
	if err != nil || moved && hash == "" {
		return false, err
	}
	p.Profile.Hash = hash
	if !moved {
		return true, nil
	}
	ok, _, err := s.hasher.VerifyPassword(ctx, hash, pw)
	return ok, err
}

// UserPlace returns the name under which tries at a user's password are
// counted. It does not reveal the typed name.
func (s *Service) UserPlace(account, name string) string { return s.Place("user", account, fold(name)) }

// Place returns a name that is derived from the arguments and does not reveal
// them.
func (s *Service) Place(parts ...string) string {
	mac := s.keys.MAC("place of a sign-in", []byte(strings.Join(parts, "\x00")))
	return base64.RawURLEncoding.EncodeToString(mac[:18])
}

// ToolToken derives a token of a developer tool's session from the arguments.
// Only this service can derive it, so it need not be stored.
func (s *Service) ToolToken(parts ...string) string {
	mac := s.keys.MAC("token of a tool", []byte(strings.Join(parts, "\x00")))
	return base64.RawURLEncoding.EncodeToString(mac)
}

// ProveCode checks the code of a person's device and marks it as used.
func (s *Service) ProveCode(ctx context.Context, account, nameKey, serial, code string) (time.Time, error) {
	return s.proveCode(ctx, account, nameKey, serial, code)
}

// MayChangePassword says whether a person who signs in may choose another
// password. Permission comes from iam:ChangePassword, or from the account's
// policy for all users. Root always may.
func (s *Service) MayChangePassword(ctx context.Context, p *Person, mfa time.Time, call access.Call) (bool, error) {
	if p.IsRoot() {
		return true, nil
	}
	who := access.Arriving{Owner: p.Owner, MFA: mfa, Call: call}
	ok, denied, err := s.access.MayArriving(ctx, who, "iam:ChangePassword", s.db.Now())
	return ok || !denied && p.policy.AllowChange, err
}

// ChoosePassword sets another password of a person who has signed in with a
// password. find names the person. done is part of the change. Both are called
// within its transaction.
func (s *Service) ChoosePassword(ctx context.Context, pw seal.Secret,
	find func(*store.Tx) (store.User, error), done func(*store.Tx, store.User) error,
) error {
	// For callers of the API, the model has checked this already.
	text := pw.Reveal()
	if err := awsmodel.Check("ChangePassword", &iam.ChangePasswordInput{OldPassword: &text,
		NewPassword: &text}); err != nil {
		return fail("PasswordPolicyViolation", "The password is not 1 to 128 characters that IAM allows in one.")
	}
	allow := func(st passwordState) error {
		same, _, err := s.hasher.VerifyPassword(ctx, st.profile.Hash, pw)
		if err == nil && same {
			err = fail("PasswordPolicyViolation", "The new password is the same as the old one.")
		}
		return err
	}
	return s.setPassword(ctx, pw, find, allow, func(tx *store.Tx, st passwordState, hash string) error {
		if err := tx.SetPassword(st.user.Account, st.user.NameKey, hash, false); err != nil {
			return err
		}
		return done(tx, st.user)
	})
}

// ResetRootMFA removes and deletes all devices of an account's root user, and
// ends root's sessions. It returns how many devices there were.
func (s *Service) ResetRootMFA(ctx context.Context, account string) (n int, err error) {
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Account(account); err != nil {
			return errNoAccount(account, err)
		}
		devices, err := userDevices(tx, account, "")
		if err != nil {
			return err
		}
		n = len(devices)
		for _, d := range devices {
			remove := tx.DeleteMFADevice
			if d.Passkey {
				remove = tx.DeletePasskey
			}
			if err := remove(account, d.Serial); err != nil {
				return err
			}
		}
		return tx.EndUserSessions(account, "")
	})
	if err != nil {
		return 0, fmt.Errorf("reset root MFA: %w", err)
	}
	return n, nil
}

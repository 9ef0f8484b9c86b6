package identity

import (
	"context"
	"errors"
	"time"

	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// Errors of a request of STS that has to prove an MFA device, as users of AWS
// report them. In AWS's answer a blank follows the full stop of the first.
func errMFACode() error {
	return fail("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. ")
}

func errMFASerial() error {
	return fail("AccessDenied",
		"MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is "+
			"valid and associated with this user.")
}

// ProveMFA checks the code of one of the caller's own devices and returns the
// present time. Without a device and a code it proves nothing and returns the
// zero time. Each code works once, in any order. Codes that enabled the device
// do not work again (recorded).
func (s *Service) ProveMFA(ctx context.Context, c principal.Caller, serial, code *string) (time.Time, error) {
	switch {
	case serial == nil && code == nil:
		return time.Time{}, nil
	case serial == nil || code == nil:
		return time.Time{}, fail("AccessDenied",
			"MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.")
	case !c.HasUser():
		return time.Time{}, errMFASerial()
	}
	return s.proveCode(ctx, c.Account(), c.NameKey(), *serial, *code)
}

// proveCode checks the code of a user's device and marks it as used.
func (s *Service) proveCode(ctx context.Context, account, nameKey, serial, code string) (time.Time, error) {
	var first store.MFADevice
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		first, err = ownDevice(tx, account, nameKey,
			serial)
		return err
	})
	if err != nil {
		return time.Time{}, err
	}
	if err := s.guessCode(ctx, first); err != nil {
		return time.Time{}, err
	}
	seed, err := s.openSecret(ctx, first.Seed, devicePlace(first.Account, first.ID))
	if err != nil {
		return time.Time{}, err
	}
	// Check before the transaction as well, so wrong codes never block the
	// writer.
	if _, ok := seal.MatchCode(seed, code, s.db.Now(), first.Drift, nil); !ok {
		return time.Time{}, errMFACode()
	}
	var proven time.Time
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		d, err := ownDevice(tx, account, nameKey, serial)
		if err != nil {
			return err
		}
		if d.ID != first.ID {
			return errMFACode()
		}
		proven = tx.Now
		return useCode(tx, d, seed, code)
	})
	if err != nil {
		return time.Time{}, err
	}
	return proven, nil
}

// ownDevice reads a device that must belong to the user.
func ownDevice(tx *store.Tx, account, nameKey, serial string) (store.MFADevice, error) {
	d, err := tx.MFADevice(account, serial)
	if errors.Is(err, store.ErrNotFound) || err == nil && (!d.Assigned || d.NameKey != nameKey) {
		err = errMFASerial()
	}
	return d, err
}

// useCode marks a device's code as used. It returns an error if the code was
// used before.
func useCode(tx *store.Tx, d store.MFADevice, seed seal.Secret, code string) error {
	first, last, oldest := seal.CodeWindow(tx.Now, d.Drift)
	used, err := tx.MFACodesUsed(d.Account, d.Serial, first, last)
	if err != nil {
		return err
	}
	step, ok := seal.MatchCode(seed, code, tx.Now, d.Drift, used)
	if !ok {
		return errMFACode()
	}
	err = tx.UseMFACode(d.Account, d.Serial, step, oldest)
	if errors.Is(err, store.ErrExists) {
		err = errMFACode()
	}
	return err
}

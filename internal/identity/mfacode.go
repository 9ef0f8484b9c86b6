package identity

import (
	"context"
	"errors"
	"time"

	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// Refusals of a request of STS that is to prove an MFA device, as users of AWS
// report them; the full stop of the first is followed by a blank there.
func errMFACode() error {
	return fail("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. ")
}

func errMFASerial() error {
	return fail("AccessDenied", "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.")
}

// ProveMFA checks the code that a caller gives of one of its own devices, and
// says when: now. Nothing given is nothing proven, the zero time. A code works
// once, and then none that is older.
func (s *Service) ProveMFA(ctx context.Context, c principal.Caller, serial, code *string) (time.Time, error) {
	switch {
	case serial == nil && code == nil:
		return time.Time{}, nil
	case serial == nil || code == nil:
		return time.Time{}, fail("AccessDenied", "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.")
	case !c.HasUser():
		return time.Time{}, errMFASerial()
	}
	read := func(tx *store.Tx) (store.MFADevice, error) {
		d, err := tx.MFADevice(c.Account(), *serial)
		if errors.Is(err, store.ErrNotFound) || err == nil && (!d.Assigned || d.NameKey != c.NameKey()) {
			err = errMFASerial()
		}
		return d, err
	}
	var first store.MFADevice
	if err := s.db.View(ctx, func(tx *store.Tx) (err error) { first, err = read(tx); return err }); err != nil {
		return time.Time{}, err
	}
	if err := s.guessCode(ctx, first); err != nil {
		return time.Time{}, err
	}
	seed, err := s.openSecret(ctx, first.Seed, devicePlace(first.Account, first.ID))
	if err != nil {
		return time.Time{}, err
	}
	// Tried before the transaction as well: wrong codes never hold the writer.
	if _, ok := seal.MatchCode(seed, *code, s.db.Now(), first.Drift, first.LastStep); !ok {
		return time.Time{}, errMFACode()
	}
	var proven time.Time
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		d, err := read(tx)
		if err != nil {
			return err
		}
		var ok bool
		if d.LastStep, ok = seal.MatchCode(seed, *code, tx.Now, d.Drift, d.LastStep); !ok || d.ID != first.ID {
			return errMFACode()
		}
		proven = tx.Now
		return tx.AssignMFADevice(d)
	})
	if err != nil {
		return time.Time{}, err
	}
	return proven, nil
}

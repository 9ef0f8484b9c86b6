package identity

import (
	"context"
	"errors"
	"sync"
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
	device := first.Account + "/" + first.ID
	if !s.codes.begin(device, s.db.Now()) {
		return time.Time{}, errMFACode()
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
	s.codes.succeeded(device)
	return proven, nil
}

// codeTries bounds the guessing of one-time codes: after some wrong ones a
// device is not tried for a while, which doubles with every further guess. It
// is kept in memory, by each node for itself.
type codeTries struct {
	mu      sync.Mutex
	devices map[string]deviceTries
}

type deviceTries struct {
	wrong int       // since the last code that was right
	until time.Time // no code is looked at before
}

const (
	freeTries   = 5
	firstPause  = 30 * time.Second
	longestWait = 15 * time.Minute
	// codeDevices bounds what is remembered.
	codeDevices = 10_000
)

// begin counts a try, or says that it must not be made yet.
func (c *codeTries) begin(device string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.devices[device]
	// A pause that ends later than any begun now is of a clock that has
	// stepped back.
	if now.Before(t.until) && !t.until.After(now.Add(longestWait)) {
		return false
	}
	t.wrong++ // until it is known to be right: parallel guesses count as well
	if over := t.wrong - freeTries; over >= 0 {
		t.until = now.Add(min(longestWait, firstPause<<min(over, 10)))
	}
	if c.devices == nil || len(c.devices) >= codeDevices {
		c.devices = map[string]deviceTries{}
	}
	c.devices[device] = t
	return true
}

func (c *codeTries) succeeded(device string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.devices, device)
}

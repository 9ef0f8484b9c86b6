package identity

import (
	"context"
	"errors"
	"time"

	"rollcall/internal/store"
)

// Limits on guessing. AWS publishes no figure for the old password. Five
// guesses in a quarter of an hour are our choice. Nine codes of a device in
// three minutes are recorded: right, wrong and used codes count alike.
var (
	passwordGuesses = store.GuessLimit{Guesses: 5, Within: 15 * time.Minute}
	codeGuesses     = store.GuessLimit{Guesses: 9, Within: 3 * time.Minute, Fixed: true}
)

// guessPassword counts a guess at a user's password before the password is
// checked.
func (s *Service) guessPassword(ctx context.Context, u store.User) error {
	var ok bool
	err := s.db.Update(store.WithoutEvent(ctx), func(tx *store.Tx) (err error) {
		ok, err = tx.GuessPassword(u.Account, u.NameKey, passwordGuesses)
		return err
	})
	if errors.Is(err, store.ErrConflict) {
		return errMoved // the user was deleted or renamed
	}
	if err == nil && !ok {
		// The code is one of the model's for this action. Using it for too many
		// guesses is our choice.
		err = fail("EntityTemporarilyUnmodifiable",
			"The old password was wrong too often. Please try again after %d minutes.",
			int(passwordGuesses.Within.Minutes()))
	}
	return err
}

// forgetGuesses resets the count of a user who knew the password.
func (s *Service) forgetGuesses(ctx context.Context, u store.User) error {
	return s.db.Update(store.WithoutEvent(ctx), func(tx *store.Tx) error {
		return tx.ForgetPasswordGuesses(u.Account, u.NameKey)
	})
}

// guessCode counts a guess at a device's code before the code is checked.
func (s *Service) guessCode(ctx context.Context, d store.MFADevice) error {
	var ok bool
	err := s.db.Update(store.WithoutEvent(ctx), func(tx *store.Tx) (err error) {
		ok, err = tx.GuessCode(d.Account, d.Serial, codeGuesses)
		return err
	})
	if err == nil && !ok {
		err = errMFASerial() // recorded
	}
	return err
}

package store

import (
	"errors"
	"time"
)

// GuessLimit bounds the guesses at a secret: so many within a time.
type GuessLimit struct {
	Guesses int
	Within  time.Duration
	// Fixed counts within the spans that the clock has, all of that length and
	// the first from 1970 on. Otherwise the first guess begins a span.
	Fixed bool
}

// span is when the span of a guess begins that is made now, and how old a span
// may be that counts still.
func (l GuessLimit) span(now time.Time) (begin, oldest time.Time) {
	now = now.Truncate(time.Second)
	if l.Fixed {
		begin = time.Unix(now.Unix()-now.Unix()%int64(l.Within/time.Second), 0)
		return begin, begin
	}
	return now, now.Add(time.Second - l.Within)
}

// GuessPassword counts a guess at a user's password that is about to be
// looked at, or reports that it must not be. Count it in a transaction of its
// own, before: then guesses that come together count too, on every node.
func (tx *Tx) GuessPassword(account, nameKey string, limit GuessLimit) (ok bool, err error) {
	return tx.guess("password_guesses", "name_key", account, nameKey, limit)
}

// ForgetPasswordGuesses lets a user who knew the password begin anew.
func (tx *Tx) ForgetPasswordGuesses(account, nameKey string) error {
	_, err := tx.exec(`DELETE FROM password_guesses WHERE account = $1 AND name_key = $2`, account, nameKey)
	return err
}

// oldCodeGuesses is how many rows of spans that have ended are removed for
// each that is added: devices may be made, guessed at and deleted without end.
const oldCodeGuesses = 10

// GuessCode is GuessPassword for the code of a device.
func (tx *Tx) GuessCode(account, serial string, limit GuessLimit) (ok bool, err error) {
	_, oldest := limit.span(tx.Now)
	_, err = tx.exec(`DELETE FROM code_guesses WHERE account = $1 AND serial IN (
		SELECT serial FROM code_guesses WHERE account = $1 AND since < $2 ORDER BY since LIMIT $3)`,
		account, oldest, oldCodeGuesses)
	if err != nil {
		return false, err
	}
	return tx.guess("code_guesses", "serial", account, serial, limit)
}

// guess counts in one of the two tables. Nodes' clocks differ, so a span that
// begins later than this node would have it is the one that counts; but one
// that begins later by more than its length is left from a clock that was
// wrong.
func (tx *Tx) guess(table, column, account, name string, limit GuessLimit) (ok bool, err error) {
	begin, oldest := limit.span(tx.Now)
	var since time.Time
	var guesses int
	err = tx.one([]any{&since, &guesses},
		`SELECT since, guesses FROM `+table+` WHERE account = $1 AND `+column+` = $2`, account, name)
	switch {
	case errors.Is(err, ErrNotFound):
		since = begin
	case err != nil:
		return false, err
	case since.Before(oldest) || since.After(begin.Add(limit.Within)):
		since, guesses = begin, 0
	case guesses >= limit.Guesses:
		return false, nil
	}
	_, err = tx.exec(`INSERT INTO `+table+` (account, `+column+`, since, guesses) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account, `+column+`) DO UPDATE SET since = excluded.since, guesses = excluded.guesses`,
		account, name, since, guesses+1)
	return err == nil, err
}

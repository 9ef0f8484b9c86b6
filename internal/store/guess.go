package store

import (
	"errors"
	"time"
)

// GuessLimit limits the guesses at a secret: a number within a time.
type GuessLimit struct {
	Guesses int
	Within  time.Duration
	// Fixed counts within the spans of the clock, all of that length, the first
	// from 1970 on. Otherwise the first guess begins a span.
	Fixed bool
}

// span returns the beginning of the span of a guess that is made now, and the
// age up to which a span still counts.
func (l GuessLimit) span(now time.Time) (begin, oldest time.Time) {
	now = now.Truncate(time.Second)
	if l.Fixed {
		begin = time.Unix(now.Unix()-now.Unix()%int64(l.Within/time.Second), 0)
		return begin, begin
	}
	return now, now.Add(time.Second - l.Within)
}

// GuessPassword counts a guess at a user's password before it is checked, or
// reports that it must not be checked. It must run in an earlier transaction,
// so that simultaneous guesses count too, on every node.
func (tx *Tx) GuessPassword(account, nameKey string, limit GuessLimit) (ok bool, err error) {
	return tx.guess("password_guesses", "name_key", account, nameKey, limit)
}

// ForgetPasswordGuesses lets a user who knew the password start again.
func (tx *Tx) ForgetPasswordGuesses(account, nameKey string) error {
	_, err := tx.exec(`DELETE FROM password_guesses WHERE account = $1 AND name_key = $2`, account, nameKey)
	return err
}

// oldCodeGuesses is the number of rows of expired spans that are removed for
// each added one: devices may be created, guessed at and deleted without end.
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
// begins later than this node's present span still counts. But a span that
// begins later by more than its length comes from a wrong clock.
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

package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// SignInSession is a session of a person who signed in.
type SignInSession struct {
	Account string
	// NameKey is the owner of the password or the device, empty for root. It is
	// ignored if Federated is set: that session belongs to no user.
	NameKey   string
	ID        string // TokenID of the token in the browser
	Federated bool
	Handle    string // its name for the owner
	State     []byte // see principal.SignIn
	Address   string // the address and the client that began it
	UserAgent string
	Created   time.Time
	Used      time.Time
	Expires   time.Time
}

// TokenID returns the name under which the session or the ticket of a token is
// stored, so a reader of the database gets no token.
func TokenID(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

const sessionColumns = `account, COALESCE(name_key, ''), session_id, CASE WHEN name_key IS NULL THEN 1 ELSE 0 END,
	handle, state,
	address, user_agent, created, used, expires`

func sessionFields(s *SignInSession) []any {
	return []any{&s.Account, &s.NameKey, &s.ID, &s.Federated, &s.Handle, &s.State, &s.Address, &s.UserAgent,
		&s.Created, &s.Used, &s.Expires}
}

// userOrNull returns the name_key of a row that may belong to no user.
func userOrNull(nameKey string, none bool) any {
	if none {
		return nil
	}
	return nameKey
}

// sessionsPerUser limits the simultaneous sessions of a user. federatedPeople
// limits the rows in one table for an account's federated people, who are not
// users.
const (
	sessionsPerUser = 100
	federatedPeople = 500
)

// InsertSession adds a session. If its user has too many, the oldest ends. The
// same is true for all federated people of an account.
func (tx *Tx) InsertSession(s SignInSession) error {
	err := tx.insert(`INSERT INTO signin_sessions (account, name_key, session_id, handle, state, address, user_agent,
		created, used, expires)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
		s.Account, userOrNull(s.NameKey, s.Federated), s.ID, s.Handle, s.State, s.Address, s.UserAgent, s.Created,
		s.Used, s.Expires)
	if err != nil {
		return err
	}
	if s.Federated {
		_, err = tx.exec(`DELETE FROM signin_sessions WHERE account = $1 AND name_key IS NULL AND session_id IN (
			SELECT session_id FROM signin_sessions WHERE account = $1 AND name_key IS NULL AND session_id <> $2
			ORDER BY created DESC, session_id LIMIT 1000000 OFFSET $3)`, s.Account, s.ID, federatedPeople-1)
		return err
	}
	_, err = tx.exec(`DELETE FROM signin_sessions WHERE account = $1 AND name_key = $2 AND session_id IN (
		SELECT session_id FROM signin_sessions WHERE account = $1 AND name_key = $2 AND session_id <> $3
		ORDER BY created DESC, session_id LIMIT 1000000 OFFSET $4)`, s.Account, s.NameKey, s.ID, sessionsPerUser-1)
	return err
}

// SessionByID reads the session of a token, of any account, or ErrNotFound.
func (tx *Tx) SessionByID(id string) (s SignInSession, err error) {
	err = tx.one(sessionFields(&s), `SELECT `+sessionColumns+` FROM signin_sessions WHERE session_id = $1`, id)
	return s, err
}

// UserSessions reads the sessions of a user, the newest first.
func (tx *Tx) UserSessions(account, nameKey string) ([]SignInSession, error) {
	return list(tx, sessionFields, `SELECT `+sessionColumns+` FROM signin_sessions
		WHERE account = $1 AND name_key = $2 ORDER BY created DESC, session_id`, account, nameKey)
}

// SetSessionState replaces the content of a session.
func (tx *Tx) SetSessionState(account, id string, state []byte) error {
	return tx.change(`UPDATE signin_sessions SET state = $1 WHERE account = $2 AND session_id = $3`, state, account, id)
}

// EndSession ends a session.
func (tx *Tx) EndSession(account, id string) error {
	return tx.change(`DELETE FROM signin_sessions WHERE account = $1 AND session_id = $2`, account, id)
}

// EndUserSession ends a session of a user by its handle.
func (tx *Tx) EndUserSession(account, nameKey, handle string) error {
	return tx.change(`DELETE FROM signin_sessions WHERE account = $1 AND name_key = $2 AND handle = $3`, account,
		nameKey, handle)
}

// EndUserSessions ends all sessions of a user, those of its tools too, and
// everything unfinished: sign-ins and enrolments.
func (tx *Tx) EndUserSessions(account, nameKey string) error {
	for _, table := range [...]string{"signin_sessions", "signin_tickets"} {
		if _, err := tx.exec(`DELETE FROM `+table+` WHERE account = $1 AND name_key = $2`,
			account, nameKey); err != nil {
			return err
		}
	}
	return tx.endUserTools(account, nameKey)
}

// SignedIn proves that a caller showed the token of an open session. Only
// OpenSession returns one.
type SignedIn struct{ session *SignInSession }

// Session returns the session that was opened. Callers must not change it.
func (s SignedIn) Session() *SignInSession { return s.session }

// touchEvery is the precision of the last use of a session. A write for each
// use would be wasteful.
const touchEvery = time.Minute

// OpenSession finds the session of a token and notes its use, or returns
// ErrNotFound: there is none, it has expired, or it was not used for longer
// than idle. Times from a clock that has since stepped back open nothing.
func (db *DB) OpenSession(ctx context.Context, token string, idle time.Duration) (SignedIn, error) {
	var s SignInSession
	err := db.Glance(ctx, func(tx *Tx) (err error) {
		s, err = tx.SessionByID(TokenID(token))
		return err
	})
	if err != nil {
		return SignedIn{}, err
	}
	now := db.now()
	switch {
	case !now.Before(s.Expires), ahead(s.Created, now), ahead(s.Used, now), now.Sub(s.Used) >= idle:
		return SignedIn{}, ErrNotFound
	case now.Sub(s.Used) >= touchEvery:
		err = db.inTime(ctx, db.engine.aside, func(tx *Tx) error {
			_, err := tx.exec(`UPDATE signin_sessions SET used = $1 WHERE session_id = $2 AND used < $1`, now, s.ID)
			return err
		})
	}
	return SignedIn{&s}, err
}

package store

import (
	"errors"
	"time"
)

// SignInTicket is a ticket that a client must return: the next step of a
// sign-in, a challenge, a code.
type SignInTicket struct {
	Account   string
	NameKey   string // the owner; ignored if Federated is set
	ID        string // TokenID of the token that was given
	Federated bool   // it belongs to no user
	Purpose   string
	State     []byte
	Tries     int
	Created   time.Time
	Expires   time.Time
}

const ticketColumns = `account, COALESCE(name_key, ''), ticket_id, CASE WHEN name_key IS NULL THEN 1 ELSE 0 END,
	purpose, state,
	tries, created, expires`

func ticketFields(t *SignInTicket) []any {
	return []any{&t.Account, &t.NameKey, &t.ID, &t.Federated, &t.Purpose, &t.State, &t.Tries, &t.Created, &t.Expires}
}

// ticketsPerUser limits the tickets of one purpose that a user has at the same
// time.
const ticketsPerUser = 10

// InsertTicket adds a ticket. If its user has too many for the purpose, the
// oldest is deleted. So a client that begins a thousand sign-ins and ends none
// keeps ten.
func (tx *Tx) InsertTicket(t SignInTicket) error {
	err := tx.insert(`INSERT INTO signin_tickets (account, name_key, ticket_id, purpose, state, tries, created, expires)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
		t.Account, userOrNull(t.NameKey, t.Federated), t.ID, t.Purpose, t.State, t.Tries, t.Created, t.Expires)
	if err != nil {
		return err
	}
	if t.Federated {
		_, err = tx.exec(`DELETE FROM signin_tickets WHERE account = $1 AND name_key IS NULL AND ticket_id IN (
			SELECT ticket_id FROM signin_tickets WHERE account = $1 AND name_key IS NULL AND purpose = $2 AND ticket_id <> $3
			ORDER BY created DESC, ticket_id LIMIT 1000000 OFFSET $4)`, t.Account, t.Purpose, t.ID, federatedPeople-1)
		return err
	}
	_, err = tx.exec(`DELETE FROM signin_tickets WHERE account = $1 AND name_key = $2 AND ticket_id IN (
		SELECT ticket_id FROM signin_tickets WHERE account = $1 AND name_key = $2 AND purpose = $3 AND ticket_id <> $4
		ORDER BY created DESC, ticket_id LIMIT 1000000 OFFSET $5)`, t.Account, t.NameKey, t.Purpose, t.ID, ticketsPerUser-1)
	return err
}

// TicketByID reads a ticket for a purpose, of any account. ErrNotFound: there
// is none, it has expired, or it comes from a clock that has since stepped
// back.
func (tx *Tx) TicketByID(id, purpose string) (t SignInTicket, err error) {
	err = tx.one(ticketFields(&t), `SELECT `+ticketColumns+` FROM signin_tickets WHERE ticket_id = $1 AND purpose =
		$2`, id, purpose)
	if err == nil && (!tx.Now.Before(t.Expires) || ahead(t.Created, tx.Now)) {
		return SignInTicket{}, ErrNotFound
	}
	return t, err
}

// TryTicket counts a try at a ticket and replaces its state, in the transaction
// that read it.
func (tx *Tx) TryTicket(account, id string, state []byte) error {
	return tx.change(`UPDATE signin_tickets SET tries = tries + 1, state = $1 WHERE account = $2 AND ticket_id = $3`,
		state, account, id)
}

// SetTicketState replaces the content of a ticket.
func (tx *Tx) SetTicketState(account, id string, state []byte) error {
	return tx.change(`UPDATE signin_tickets SET state = $1 WHERE account = $2 AND ticket_id = $3`, state, account, id)
}

// TakeTicket reads a ticket like TicketByID and deletes it. A second caller
// with the ticket, on any node, gets none.
func (tx *Tx) TakeTicket(id, purpose string) (SignInTicket, error) {
	t, err := tx.TicketByID(id, purpose)
	if err != nil {
		return t, err
	}
	return t, tx.DeleteTicket(t.Account, id)
}

// DeleteTicket deletes a ticket.
func (tx *Tx) DeleteTicket(account, id string) error {
	return tx.change(`DELETE FROM signin_tickets WHERE account = $1 AND ticket_id = $2`, account, id)
}

// Pause says how long a client that tries passwords must wait: not at all for a
// number of tries, then First, and twice as long after each further try, up to
// Most. After Forget without a try the count starts again.
type Pause struct {
	Free        int
	First, Most time.Duration
	Forget      time.Duration
}

// after returns the length of the pause after a number of tries.
func (p Pause) after(tries int) time.Duration {
	if tries < p.Free {
		return 0
	}
	pause := p.First
	for range tries - p.Free {
		if pause *= 2; pause >= p.Most {
			return p.Most
		}
	}
	return pause
}

// PauseOf returns how long the next try at a place must wait.
func (tx *Tx) PauseOf(place string, p Pause) (time.Duration, error) {
	_, wait, err := tx.pause(place, p)
	return wait, err
}

func (tx *Tx) pause(place string, p Pause) (tries int, wait time.Duration, err error) {
	var last time.Time
	err = tx.one([]any{&tries, &last}, `SELECT tries, last FROM signin_pauses WHERE place = $1`, place)
	if errors.Is(err, ErrNotFound) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	// A time in the future comes from a clock that has since stepped back.
	since := tx.Now.Sub(last)
	if since >= p.Forget || ahead(last, tx.Now) {
		return 0, 0, nil
	}
	return tries, max(0, min(p.Most, p.after(tries)-since)), nil
}

// TryAt counts a try at a place before it happens, or returns how long it must
// wait. It must run in an earlier transaction, so that simultaneous tries count
// too, on every node.
func (tx *Tx) TryAt(place string, p Pause) (wait time.Duration, err error) {
	tries, wait, err := tx.pause(place, p)
	if err != nil || wait > 0 {
		return wait, err
	}
	_, err = tx.exec(`INSERT INTO signin_pauses (place, tries, last) VALUES ($1, $2, $3)
		ON CONFLICT (place) DO UPDATE SET tries = excluded.tries, last = excluded.last`, place, tries+1, tx.Now)
	return 0, err
}

// TakeBackTry removes a try that was not a guess, because the password was
// right. If it was the only one, the row is deleted.
func (tx *Tx) TakeBackTry(place string) error {
	if _, err := tx.exec(`DELETE FROM signin_pauses WHERE place = $1 AND tries <= 1`, place); err != nil {
		return err
	}
	_, err := tx.exec(`UPDATE signin_pauses SET tries = tries - 1 WHERE place = $1 AND tries > 1`, place)
	return err
}

// ForgetTries forgets all tries at a place.
func (tx *Tx) ForgetTries(place string) error {
	_, err := tx.exec(`DELETE FROM signin_pauses WHERE place = $1`, place)
	return err
}

// placesPerUser limits the remembered places of a user.
const placesPerUser = 20

// KnowsPlace reports whether a user has signed in from a place since a time.
func (tx *Tx) KnowsPlace(account, nameKey, place string, since time.Time) (bool, error) {
	var last time.Time
	err := tx.one([]any{&last}, `SELECT last FROM signin_places WHERE account = $1 AND name_key = $2 AND place = $3`,
		account, nameKey, place)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && !last.Before(since) && !ahead(last, tx.Now), err
}

// RememberPlace notes that a user has signed in from a place. If there are too
// many, the oldest is deleted.
func (tx *Tx) RememberPlace(account, nameKey, place string) error {
	_, err := tx.exec(`INSERT INTO signin_places (account, name_key, place, last) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account, name_key, place) DO UPDATE SET last = excluded.last`, account, nameKey, place, tx.Now)
	if err != nil {
		return err
	}
	_, err = tx.exec(`DELETE FROM signin_places WHERE account = $1 AND name_key = $2 AND place IN (
		SELECT place FROM signin_places WHERE account = $1 AND name_key = $2 AND place <> $3
		ORDER BY last DESC, place LIMIT 1000000 OFFSET $4)`, account, nameKey, place, placesPerUser-1)
	return err
}

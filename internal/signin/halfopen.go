package signin

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// halfOpen keeps the facts of a sign-in between its steps. Whose it is, is
// said by the ticket, which follows the user when it is renamed and goes with
// its password.
type halfOpen struct {
	MFA    time.Time `json:"m,omitzero"`  // when a device was proven
	Serial string    `json:"s,omitempty"` // and which one
	From   string    `json:"f"`           // the place it comes from
	To     string    `json:"t,omitempty"`
	// Challenge waits for the answer of a passkey; nil for none.
	Challenge *webauthn.SessionData `json:"c,omitempty"`
}

func (h halfOpen) state() []byte {
	text, err := json.Marshal(h)
	if err != nil {
		panic(err) // texts and dates
	}
	return text
}

func readHalfOpen(t *store.SignInTicket) (h halfOpen, err error) {
	err = json.Unmarshal(t.State, &h)
	return h, err
}

// newToken returns a token of 200 random bits.
func newToken() seal.Secret { return seal.NewSecret(seal.NewID("", 40)) }

// current reads a person again within a transaction, and fails with errMoved
// where the password that it has shown is no longer its own.
func current(tx *store.Tx, p *identity.Person, ticket *store.SignInTicket) (*identity.Person, error) {
	nameKey := p.User.NameKey
	if ticket != nil {
		// Taken: whoever comes second with it has none.
		t, err := tx.TakeTicket(ticket.ID, ticket.Purpose)
		if errors.Is(err, store.ErrNotFound) {
			err = ErrStepGone
		}
		if err != nil {
			return nil, err
		}
		nameKey = t.NameKey
	}
	now, err := identity.ReadPerson(tx, p.User.Account, nameKey)
	if errors.Is(err, store.ErrNotFound) {
		return nil, errMoved
	}
	if err != nil {
		return nil, err
	}
	if now.User.ID != p.User.ID || now.Instance != p.Instance || now.Profile.Hash != p.Profile.Hash {
		return nil, errMoved
	}
	return now, nil
}

// hold keeps a sign-in until its next step, which is given a token of its own.
func (s *Service) hold(ctx context.Context, p *identity.Person, ticket *store.SignInTicket, next Kind,
	h halfOpen) (Step, error) {
	step := Step{Kind: next, Token: newToken()}
	err := s.db.Update(store.OnAccount(store.WithoutEvent(ctx), p.User.Account), func(tx *store.Tx) error {
		now, err := current(tx, p, ticket)
		if err != nil {
			return err
		}
		step.Expires = tx.Now.Add(stepLife)
		return tx.InsertTicket(store.SignInTicket{
			Account: now.User.Account, NameKey: now.User.NameKey, ID: store.TokenID(step.Token.Reveal()),
			Purpose: string(next), State: h.state(), Created: tx.Now, Expires: step.Expires,
		})
	})
	if errors.Is(err, errMoved) {
		err = ErrWrong
	}
	if err != nil {
		return Step{}, err
	}
	return step, nil
}

// open reads the step that a token is of, and who it is about.
func (s *Service) open(ctx context.Context, token seal.Secret, kind Kind) (t store.SignInTicket,
	p *identity.Person, h halfOpen, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) (err error) {
		if t, err = tx.TicketByID(store.TokenID(token.Reveal()), string(kind)); err != nil {
			return err
		}
		p, err = identity.ReadPerson(tx, t.Account, t.NameKey)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return t, nil, h, ErrStepGone
	}
	if err == nil {
		h, err = readHalfOpen(&t)
	}
	return t, p, h, err
}

// maxTries bounds the tries of one sign-in to prove a device. The bound of the
// codes of a device over all sign-ins is in package identity.
const maxTries = 5

// count counts a try at a step before it is looked at, and takes its challenge,
// which works once.
func (s *Service) count(ctx context.Context, token seal.Secret) (challenge *webauthn.SessionData, err error) {
	err = s.db.Update(store.WithoutEvent(ctx), func(tx *store.Tx) error {
		t, err := tx.TicketByID(store.TokenID(token.Reveal()), string(Device))
		if errors.Is(err, store.ErrNotFound) || err == nil && t.Tries >= maxTries {
			return ErrStepGone
		}
		if err != nil {
			return err
		}
		h, err := readHalfOpen(&t)
		if err != nil {
			return err
		}
		challenge, h.Challenge = h.Challenge, nil
		return tx.TryTicket(t.Account, t.ID, h.state())
	})
	return challenge, err
}

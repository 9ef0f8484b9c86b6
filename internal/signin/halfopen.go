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

// halfOpen holds the facts of a sign-in between its steps. The ticket names the
// person. It follows a renamed user and is deleted with the password.
type halfOpen struct {
	MFA    time.Time `json:"m,omitzero"`  // when a device was verified
	Serial string    `json:"s,omitempty"` // the serial number of that device
	From   string    `json:"f"`           // the address it comes from, as a place
	To     string    `json:"t,omitempty"`
	// Challenge waits for the answer of a passkey; nil means none.
	Challenge *webauthn.SessionData `json:"c,omitempty"`
}

func (h halfOpen) state() []byte {
	text, err := json.Marshal(h)
	if err != nil {
		panic(err) // it only contains texts and dates
	}
	return text
}

func readHalfOpen(t *store.SignInTicket) (h halfOpen, err error) {
	err = json.Unmarshal(t.State, &h)
	return h, err
}

// newToken returns a token of 200 random bits.
func newToken() seal.Secret { return seal.NewSecret(seal.NewID("", 40)) }

// current reads a person again within a transaction. It returns errMoved if the
// person's password has changed since it was checked.
func current(tx *store.Tx, p *identity.Person, ticket *store.SignInTicket) (*identity.Person, error) {
	nameKey := p.User.NameKey
	if ticket != nil {
		// The ticket is removed, so a second caller finds none.
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

// hold stores a sign-in until its next step, which gets its own token.
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

// open reads the step and the person of a token.
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

// maxTries limits the attempts to verify a device in one sign-in. Package
// identity limits the codes of a device over all sign-ins.
const maxTries = 5

// count counts an attempt before it is checked, and removes its challenge,
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

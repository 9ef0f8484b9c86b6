package signin

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// shown is the purpose of tickets for texts that are shown once.
const shown = "shown"

type toShow struct {
	Session string `json:"s"` // the id of the session that may see it
	Sealed  []byte `json:"t"`
}

// ShownLife is the time within which a stored text must be shown.
const ShownLife = 2 * time.Minute

// Keep stores a text, such as a new secret, for one page of the session. So a
// form that creates something can redirect to another address, and reloading
// that page creates nothing. TakeKept takes the token.
func (s *Service) Keep(ctx context.Context, session *Session, text seal.Secret) (token seal.Secret, err error) {
	token = newToken()
	id := store.TokenID(token.Reveal())
	state, err := json.Marshal(toShow{session.row.ID, s.iam.SealShown(id, text)})
	if err != nil {
		return token, err
	}
	return token, s.db.Update(store.WithoutEvent(ctx), func(tx *store.Tx) error {
		return tx.InsertTicket(store.SignInTicket{
			Account: session.row.Account, NameKey: session.Self.NameKey(), Federated: session.row.Federated, ID: id,
			Purpose: shown, State: state, Created: tx.Now, Expires: tx.Now.Add(ShownLife),
		})
	})
}

// TakeKept returns a stored text and removes it. If there is none the error is
// ErrStepGone.
func (s *Service) TakeKept(ctx context.Context, session *Session, token seal.Secret) (text seal.Secret, err error) {
	var t store.SignInTicket
	err = s.db.Update(store.WithoutEvent(ctx), func(tx *store.Tx) (err error) {
		t, err = tx.TakeTicket(store.TokenID(token.Reveal()), shown)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return text, ErrStepGone
	}
	if err != nil {
		return text, err
	}
	var kept toShow
	if err := json.Unmarshal(t.State, &kept); err != nil {
		return text, err
	}
	if kept.Session != session.row.ID {
		return text, ErrStepGone
	}
	return s.iam.OpenShown(ctx, t.ID, kept.Sealed)
}

package identity

import (
	"context"

	"rollcall/internal/seal"
)

// shownPlace binds a text that is shown once to the id under which it is kept.
func shownPlace(id string) seal.Location {
	return seal.Location{Table: "signin_tickets", Key: id, Column: "shown"}
}

// SealShown seals a text that is shown once and is kept under an id.
func (s *Service) SealShown(id string, text seal.Secret) []byte {
	return s.keys.SealToken([]byte(text.Reveal()), shownPlace(id))
}

// OpenShown opens what SealShown returned for the id.
func (s *Service) OpenShown(ctx context.Context, id string, sealed []byte) (seal.Secret, error) {
	return s.openSecret(ctx, sealed, shownPlace(id))
}

package identity

import (
	"context"
	"errors"
	"fmt"

	"rollcall/internal/principal"
	"rollcall/internal/sigv4"
	"rollcall/internal/store"
)

// SigningKey finds the secret and the owner of the access key that a request
// names; it is a sigv4.Verifier's Lookup. It asks the store every time, which
// remembers nothing that may have changed, so that a key which was deleted or
// made inactive, on any node, fails on the very next request.
//
// With a session token it is the token that tells all.
func (s *Service) SigningKey(
	ctx context.Context, accessKeyID, sessionToken string,
) (secret []byte, signer principal.Signer, err error) {
	if sessionToken != "" {
		return s.openSession(ctx, accessKeyID, sessionToken)
	}
	owner, err := s.db.KeyOwner(ctx, accessKeyID)
	if errors.Is(err, store.ErrNotFound) || err == nil && owner.Key.Status != active {
		return nil, principal.Signer{}, sigv4.ErrUnknownKey
	}
	if err != nil {
		return nil, principal.Signer{}, fmt.Errorf("look up access key: %w", err)
	}
	opened, err := s.openSecret(ctx, owner.Key.Secret, accessKeyPlace(owner.Key.Account, accessKeyID))
	if err != nil {
		return nil, principal.Signer{}, fmt.Errorf("open secret of access key %s: %w", accessKeyID, err)
	}
	return []byte(opened.Reveal()), principal.Signer{Owner: owner.Owner, KeyID: accessKeyID}, nil
}

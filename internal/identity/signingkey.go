package identity

import (
	"context"
	"errors"
	"fmt"

	"rollcall/internal/principal"
	"rollcall/internal/sigv4"
	"rollcall/internal/store"
)

// SigningKey finds the secret and the owner of the access key of a request. It
// is the Lookup of a sigv4.Verifier. It asks the store every time. The store
// caches only unchanged data, so a key that was deleted or deactivated on any
// node fails on the very next request.
//
// With a session token, everything comes from the token.
func (s *Service) SigningKey(
	ctx context.Context, accessKeyID, sessionToken string,
) (secret []byte, signer principal.Signer, err error) {
	if sessionToken != "" {
		return s.openSession(ctx, accessKeyID, sessionToken)
	}
	owner, grants, err := s.db.Signer(ctx, accessKeyID)
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
	return []byte(opened.Reveal()), principal.Signer{Owner: owner.Owner, KeyID: accessKeyID, Grants: grants}, nil
}

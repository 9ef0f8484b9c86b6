package identity

import (
	"context"
	"encoding/base64"
	"errors"
	"io"

	"rollcall/internal/principal"
	"rollcall/internal/seal"
)

// messagePlace binds an authorization message to the account whose caller was
// denied, and not to its number.
func messagePlace(c principal.Caller) seal.Location {
	return seal.Location{Table: "messages", Key: c.Tenant(), Column: "authorization"}
}

// SealMessage seals what decided a denial for the account of who was denied.
// It gives "" where it cannot.
func (s *Service) SealMessage(c principal.Caller, text []byte) string {
	text, err := pack(text)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(s.keys.SealToken(text, messagePlace(c)))
}

// OpenMessage opens what SealMessage made for the caller's account. It is not
// ok for all else.
func (s *Service) OpenMessage(
	ctx context.Context, c principal.Caller, message string,
) (text string, ok bool, err error) {
	sealed, notEncoded := base64.RawURLEncoding.DecodeString(message)
	if notEncoded != nil {
		return "", false, nil
	}
	opened, err := s.openSecret(ctx, sealed, messagePlace(c))
	var unknown seal.UnknownDataKeyError
	if errors.Is(err, seal.ErrNotOpened) || errors.As(err, &unknown) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	all, err := io.ReadAll(unpack(opened.Reveal()))
	return string(all), err == nil, err
}

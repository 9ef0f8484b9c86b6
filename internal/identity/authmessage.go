package identity

import (
	"context"
	"encoding/base64"
	"errors"
	"io"

	"rollcall/internal/principal"
	"rollcall/internal/seal"
)

// ErrNoMessage reports an authorization message that was not sealed for the
// caller's account.
var ErrNoMessage = errors.New("no authorization message of this account")

// messagePlace returns the place that an authorization message is sealed for:
// the account of the denied caller, identified by its instance and not by its
// number.
func messagePlace(c principal.Caller) seal.Location {
	return seal.Location{Table: "messages", Key: c.Tenant(), Column: "authorization"}
}

// SealMessage seals the reasons of a denial for the account of the denied
// caller. It returns "" on an error.
func (s *Service) SealMessage(c principal.Caller, text []byte) string {
	text, err := pack(text)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(s.keys.SealToken(text, messagePlace(c)))
}

// OpenMessage opens a message that SealMessage returned for the caller's
// account. It returns ErrNoMessage for any other message.
func (s *Service) OpenMessage(ctx context.Context, c principal.Caller, message string) (string, error) {
	sealed, err := base64.RawURLEncoding.DecodeString(message)
	if err != nil {
		return "", ErrNoMessage
	}
	opened, err := s.openSecret(ctx, sealed, messagePlace(c))
	var unknown seal.UnknownDataKeyError
	if errors.Is(err, seal.ErrNotOpened) || errors.As(err, &unknown) {
		return "", ErrNoMessage
	}
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(unpack(opened.Reveal()))
	return string(text), err
}

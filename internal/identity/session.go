package identity

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/sigv4"
	"rollcall/internal/store"
)

// SessionCredentials are temporary credentials. The token is a secret too: it
// contains, sealed, the secret and the permissions of the session.
type SessionCredentials struct {
	AccessKeyID string
	Secret      seal.Secret
	Token       seal.Secret
	Expires     time.Time
}

// sealedSession is the content of a session token.
type sealedSession struct {
	Secret    string            `json:"x"`
	Partition string            `json:"a"`
	Instance  string            `json:"o,omitempty"` // identifies the account
	User      store.User        `json:"u"`
	Session   principal.Session `json:"z"`
}

// sessionPlace binds a token to its access key.
func sessionPlace(keyID string) seal.Location {
	return seal.Location{Table: "sessions", Key: keyID, Column: "token"}
}

// NewSession creates the credentials of a session of an owner. The token has at
// least minSize bytes. Nothing is stored: the sealed token contains everything
// about the session. The session ends when it expires, when its user, role or
// account is deleted, or when a policy denies by aws:TokenIssueTime.
func (s *Service) NewSession(of store.Owner, session principal.Session, minSize int) (SessionCredentials, error) {
	id, err := seal.NewAccessKeyID("ASIA", of.User.Account)
	if err != nil {
		return SessionCredentials{}, err
	}
	secret := seal.NewSecretAccessKey()
	text, err := json.Marshal(sealedSession{
		Secret: secret.Reveal(), Partition: of.Partition, Instance: of.Instance, User: of.User, Session: session,
	})
	if err != nil {
		return SessionCredentials{}, fmt.Errorf("make session token: %w", err)
	}
	if text, err = pack(text); err != nil {
		return SessionCredentials{}, fmt.Errorf("make session token: %w", err)
	}
	if more := minSize*3/4 - len(text); more > 0 {
		text = append(text, bytes.Repeat([]byte{' '}, more)...)
	}
	token := base64.StdEncoding.EncodeToString(s.keys.SealToken(text, sessionPlace(id)))
	return SessionCredentials{AccessKeyID: id, Secret: secret, Token: seal.NewSecret(token),
		Expires: session.Expires}, nil
}

// packedFrom is the length from which the text of a token is compressed. Most
// texts are shorter, and compression costs more than the rest of creating a
// token.
const packedFrom = 1 << 10

// pack compresses a long text. The result does not begin with a brace. Any
// bytes may follow it, as blanks may follow a text.
func pack(text []byte) ([]byte, error) {
	if len(text) < packedFrom {
		return text, nil
	}
	packed := bytes.NewBuffer([]byte{packedMark})
	w, err := flate.NewWriter(packed, flate.DefaultCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

const packedMark = 'z'

func unpack(text string) io.Reader {
	if packed, ok := strings.CutPrefix(text, string(packedMark)); ok {
		return flate.NewReader(strings.NewReader(packed))
	}
	return strings.NewReader(text)
}

// openSession opens the token that came with a key. It reads no table.
func (s *Service) openSession(ctx context.Context, keyID, token string) ([]byte, principal.Signer, error) {
	sealed, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return nil, principal.Signer{}, sigv4.ErrInvalidToken
	}
	text, err := s.openSecret(ctx, sealed, sessionPlace(keyID))
	var unknown seal.UnknownDataKeyError
	if errors.Is(err, seal.ErrNotOpened) || errors.As(err, &unknown) {
		return nil, principal.Signer{}, sigv4.ErrInvalidToken
	}
	if err != nil {
		return nil, principal.Signer{}, fmt.Errorf("open session token: %w", err)
	}
	var held sealedSession
	if err := json.NewDecoder(unpack(text.Reveal())).Decode(&held); err != nil {
		return nil, principal.Signer{}, fmt.Errorf("read session token: %w", err)
	}
	// A token from a clock that has since stepped back would live longer than
	// intended, and would escape a policy that ends sessions by the time of
	// their issue.
	now := s.db.Now()
	if !now.Before(held.Session.Expires) || held.Session.Issued.After(now.Add(store.ClockSkew)) {
		return nil, principal.Signer{}, sigv4.ErrExpiredToken
	}
	owner := store.Owner{User: held.User, Partition: held.Partition, Instance: held.Instance}
	return []byte(held.Secret), principal.Signer{Owner: owner, KeyID: keyID, Session: &held.Session}, nil
}

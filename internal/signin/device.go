package signin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"rollcall/internal/awsmodel"
	"rollcall/internal/identity"
	"rollcall/internal/requestid"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// AnswerCode verifies a person's device by a code that it shows. A code works
// once, on all nodes.
func (s *Service) AnswerCode(ctx context.Context, v Visit, token seal.Secret, serial, code string) (Step, error) {
	t, p, h, err := s.open(ctx, token, Device)
	if err != nil {
		return Step{}, err
	}
	if _, err := s.count(ctx, token); err != nil {
		return Step{}, err
	}
	at, err := s.iam.ProveCode(ctx, t.Account, t.NameKey, serial, code)
	if err != nil {
		return Step{}, s.notProven(ctx, v, p, serial, err)
	}
	return s.proven(ctx, v, &t, p, h, serial, at)
}

// AskPasskey returns the argument of navigator.credentials.get for a page, as
// JSON ({"publicKey":…}). It replaces an earlier challenge.
func (s *Service) AskPasskey(ctx context.Context, token seal.Secret) (json.RawMessage, error) {
	if s.noKeys != nil {
		return nil, s.noKeys
	}
	t, p, h, err := s.open(ctx, token, Device)
	if err != nil {
		return nil, err
	}
	user, err := s.passkeyUser(ctx, &p.Owner, t.NameKey)
	if err != nil {
		return nil, err
	}
	if len(user.credentials) == 0 {
		return nil, &Refusal{Reason: NoPasskeys, Text: "You have no passkey."}
	}
	options, challenge, err := s.passkeys.BeginLogin(user)
	if err != nil {
		return nil, err
	}
	h.Challenge = challenge
	err = s.db.Update(store.WithoutEvent(ctx), func(tx *store.Tx) error {
		return tx.SetTicketState(t.Account, t.ID,
			h.state())
	})
	if errors.Is(err, store.ErrNotFound) {
		err = ErrStepGone
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(options)
}

// AnswerPasskey verifies a person's passkey by the result of
// navigator.credentials.get, as JSON. A challenge can be answered once, whether
// the answer is right or wrong.
func (s *Service) AnswerPasskey(ctx context.Context, v Visit, token seal.Secret, answer []byte) (Step, error) {
	if s.noKeys != nil {
		return Step{}, s.noKeys
	}
	ctx = requestid.For(ctx, v.Call.RequestID)
	t, p, h, err := s.open(ctx, token, Device)
	if err != nil {
		return Step{}, err
	}
	challenge, err := s.count(ctx, token)
	if err != nil {
		return Step{}, err
	}
	serial, err := s.provePasskey(ctx, &t, p, challenge, answer)
	if err != nil {
		return Step{}, s.notProven(ctx, v, p, serial, err)
	}
	return s.proven(ctx, v, &t, p, h, serial, s.db.Now())
}

// provePasskey checks an answer to a challenge and returns the device that gave
// it.
func (s *Service) provePasskey(ctx context.Context, t *store.SignInTicket, p *identity.Person,
	challenge *webauthn.SessionData, answer []byte) (serial string, err error) {
	if challenge == nil {
		return "", ErrWrong
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return "", ErrWrong
	}
	user, err := s.passkeyUser(ctx, &p.Owner, t.NameKey)
	if err != nil {
		return "", err
	}
	credential, err := s.passkeys.ValidateLogin(user, *challenge, parsed)
	if err != nil {
		return "", ErrWrong
	}
	id := base64.RawURLEncoding.EncodeToString(credential.ID)
	err = s.iam.UsePasskey(ctx, t.Account, t.NameKey, id, credential.Authenticator.SignCount)
	switch {
	case errors.Is(err, identity.ErrClonedPasskey):
		s.log.WarnContext(ctx, "a passkey may have been copied: it counts fewer uses than it has had", "serial",
			user.serials[id])
		err = ErrWrong
	case errors.Is(err, store.ErrNotFound):
		err = ErrWrong
	}
	return user.serials[id], err
}

// notProven returns the reason why a device was not verified. It records the
// reason if the person may learn it.
func (s *Service) notProven(ctx context.Context, v Visit, p *identity.Person, serial string, err error) error {
	var known *awsmodel.Error
	if errors.As(err, &known) {
		err = ErrWrong // the texts are those of STS
	}
	if !errors.Is(err, ErrWrong) {
		return err
	}
	if !has(p, serial) {
		serial = "" // the value was typed
	}
	rec := loginEvent(v, p, serial)(err)
	if serial == "" {
		data := login(v, "")
		data["MFAUsed"] = "Yes"
		rec.AdditionalEventData = jsonOf(data)
	}
	s.api.RecordSignIn(ctx, v.Call, rec)
	return err
}

func has(p *identity.Person, serial string) bool {
	for _, d := range p.Devices {
		if d.Serial == serial {
			return true
		}
	}
	return false
}

// proven continues the sign-in of a person whose device was verified.
func (s *Service) proven(ctx context.Context, v Visit, t *store.SignInTicket, p *identity.Person, h halfOpen,
	serial string, at time.Time) (Step, error) {
	h.MFA, h.Serial, h.Challenge = at, serial, nil
	if v.To == "" {
		v.To = h.To
	}
	return s.admit(ctx, v, p, t, h)
}

// passkeyUser adapts a person to WebAuthn.
type passkeyUser struct {
	id          []byte
	name        string
	credentials []webauthn.Credential
	serials     map[string]string // by credential
}

func (u *passkeyUser) WebAuthnID() []byte                         { return u.id }
func (u *passkeyUser) WebAuthnName() string                       { return u.name }
func (u *passkeyUser) WebAuthnDisplayName() string                { return u.name }
func (u *passkeyUser) WebAuthnCredentials() []webauthn.Credential { return u.credentials }

// passkeyUser reads a user's passkeys. The user id that devices store reveals
// nothing.
func (s *Service) passkeyUser(ctx context.Context, of *store.Owner, nameKey string) (*passkeyUser, error) {
	all, err := s.iam.Passkeys(ctx, of.User.Account, nameKey)
	if err != nil {
		return nil, err
	}
	u := &passkeyUser{
		id:      []byte(s.iam.Place("webauthn user", of.User.Account, of.Instance, of.User.ID)),
		name:    strings.Trim(of.User.Name+"@"+of.User.Account, "@"),
		serials: map[string]string{},
	}
	for _, p := range all {
		var c webauthn.Credential
		if err := json.Unmarshal(p.Credential, &c); err != nil {
			return nil, err
		}
		// The store counts uses, because only it distinguishes two simultaneous
		// answers.
		c.Authenticator.SignCount = 0
		u.credentials = append(u.credentials, c)
		u.serials[p.CredentialID] = p.Serial
	}
	return u, nil
}

package signin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"rollcall/internal/api"
	"rollcall/internal/identity"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// enrolling is the purpose of tickets for enrolling a passkey.
const enrolling = "enrol"

type enrolment struct {
	Session   string               `json:"s"` // the id of the session that began it
	User      string               `json:"u"` // "" for root
	Serial    string               `json:"n"`
	Challenge webauthn.SessionData `json:"c"`
}

// maxLabel limits the label of a passkey, so that its serial fits the model.
const maxLabel = 64

// BeginPasskey begins to enrol a passkey for a user of the session's account.
// If user is "", it is the person of the session. It returns the argument of
// navigator.credentials.create for a page, as JSON ({"publicKey":…}), and the
// token for FinishPasskey. The person already needs iam:EnableMFADevice on the
// user here, because the answer reveals whether the user exists, and which
// passkeys it has.
func (s *Service) BeginPasskey(ctx context.Context, v Visit, session *Session, user, label string) (
	token seal.Secret, options json.RawMessage, err error) {
	if s.noKeys != nil {
		return token, nil, s.noKeys
	}
	if !nameLike(label) || len(label) > maxLabel {
		return token, nil, &Refusal{Reason: BadInput,
			Text: "Give the passkey a name of at most 64 letters, digits and " +
				"the characters +=,.@-_."}
	}
	c := session.Caller
	if user == "" && !c.HasUser() {
		return token, nil, &Refusal{Reason: BadInput, Text: "A role has no passkey: name the user who is to have it."}
	}
	root := user == "" && c.IsRoot()
	if user == "" {
		user = c.UserName()
	}
	v.Console = true
	in := enabling(c, user, identity.PasskeySerial(c, user, label))
	if refused := api.May(ctx, s.api.As(c, v.Call), s.iam.EnableMFADevice, in); refused != nil {
		return token, nil, refused
	}
	p, err := s.iam.Person(ctx, c.Account(), user, root)
	if errors.Is(err, store.ErrNotFound) {
		return token, nil, &Refusal{Reason: BadInput, Text: "There is no such user."}
	}
	if err != nil {
		return token, nil, err
	}
	who, err := s.passkeyUser(ctx, &p.Owner, p.User.NameKey)
	if err != nil {
		return token, nil, err
	}
	var exclude []protocol.CredentialDescriptor
	for _, have := range who.credentials {
		exclude = append(exclude, have.Descriptor())
	}
	asked, challenge, err := s.passkeys.BeginRegistration(who, webauthn.WithExclusions(exclude))
	if err != nil {
		return token, nil, err
	}
	token = newToken()
	state, err := json.Marshal(enrolment{
		Session: session.row.ID, User: p.User.Name, Serial: identity.PasskeySerial(c, p.User.Name, label),
		Challenge: *challenge,
	})
	if err != nil {
		return token, nil, err
	}
	err = s.db.Update(store.WithoutEvent(ctx), func(tx *store.Tx) error {
		return tx.InsertTicket(store.SignInTicket{
			Account: session.row.Account, NameKey: session.Self.NameKey(), Federated: session.row.Federated,
			ID: store.TokenID(token.Reveal()), Purpose: enrolling, State: state, Created: tx.Now,
			Expires: tx.Now.Add(stepLife),
		})
	})
	if err != nil {
		return token, nil, err
	}
	options, err = json.Marshal(asked)
	return token, options, err
}

// FinishPasskey enrols a passkey by the result of navigator.credentials.create,
// as JSON, and returns its serial number. The person needs iam:EnableMFADevice
// on the user. Errors for the person are *awsmodel.Error. The token works once.
func (s *Service) FinishPasskey(ctx context.Context, v Visit, session *Session, token seal.Secret,
	answer []byte) (serial string, err error) {
	if s.noKeys != nil {
		return "", s.noKeys
	}
	var t store.SignInTicket
	err = s.db.Update(store.WithoutEvent(ctx), func(tx *store.Tx) (err error) {
		t, err = tx.TakeTicket(store.TokenID(token.Reveal()), enrolling)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		err = ErrStepGone
	}
	if err != nil {
		return "", err
	}
	var e enrolment
	if err := json.Unmarshal(t.State, &e); err != nil {
		return "", err
	}
	if e.Session != session.row.ID {
		return "", ErrStepGone
	}
	passkey, err := s.attested(e.Challenge, answer)
	if err != nil {
		return "", err
	}
	action, ok := s.api.Find("iam", "EnableMFADevice")
	if !ok {
		return "", errors.New("EnableMFADevice is not served")
	}
	v.Console = true
	in := enabling(session.Caller, e.User, e.Serial)
	if _, refused := s.api.Invoke(identity.WithPasskey(ctx, passkey), &session.Caller, action, in,
		v.Call); refused != nil {
		return "", refused
	}
	return e.Serial, nil
}

// enabling returns the input of the call that assigns a passkey to a user; ""
// is root.
func enabling(c principal.Caller, user, serial string) *iam.EnableMFADeviceInput {
	noCode := "000000" // the model requires codes, which passkeys do not have
	if user == "" {
		user = c.Account()
	}
	return &iam.EnableMFADeviceInput{UserName: &user, SerialNumber: &serial, AuthenticationCode1: &noCode,
		AuthenticationCode2: &noCode}
}

// attested checks the browser's data of a new passkey.
func (s *Service) attested(challenge webauthn.SessionData, answer []byte) (*identity.Passkey, error) {
	refused := &Refusal{Reason: BadInput, Text: "The passkey could not be verified. Please try again."}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return nil, refused
	}
	credential, err := s.passkeys.CreateCredential(&passkeyUser{id: challenge.UserID}, challenge, parsed)
	if err != nil {
		return nil, refused
	}
	credential.Attestation = webauthn.CredentialAttestation{} // not requested, and large
	text, err := json.Marshal(credential)
	if err != nil {
		return nil, err
	}
	return &identity.Passkey{
		CredentialID: base64.RawURLEncoding.EncodeToString(credential.ID), Credential: text,
		SignCount: credential.Authenticator.SignCount,
	}, nil
}

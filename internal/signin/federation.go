package signin

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"rollcall/internal/api"
	"rollcall/internal/awsmodel"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// Credentials are temporary credentials in the form that the federation
// endpoint receives.
type Credentials struct {
	KeyID         string
	Secret, Token seal.Secret
}

// From IAM's custom identity broker: the validity of a sign-in token, and the
// possible durations of a session.
const (
	federationLife = 15 * time.Minute
	leastSession   = 15 * time.Minute
)

// federating is the purpose of tickets for federation.
const federating = "federation"

type federation struct {
	Holds principal.SignIn `json:"h"`
	Who   trail.Identity   `json:"w"`
}

// SigninToken returns a token for the holder of the credentials of a role's
// session or of a federated user. The token begins one session within 15
// minutes. lasts is the duration of that session; 0 means until the credentials
// expire. A refusal is an *awsmodel.Error.
func (s *Service) SigninToken(ctx context.Context, v Visit, c Credentials, lasts time.Duration) (seal.Secret, error) {
	verified, err := s.credentials.VerifySecret(ctx, c.KeyID, c.Secret.Reveal(), c.Token.Reveal(), "signin")
	if err != nil {
		return seal.Secret{}, s.refuseFederation(ctx, v, nil, err)
	}
	who, err := s.iam.Access().Current(ctx, principal.Signed(verified))
	if err != nil {
		return seal.Secret{}, s.refuseFederation(ctx, v, nil, err)
	}
	until, err := s.federatedUntil(who.Session(), lasts)
	if err != nil {
		return seal.Secret{}, s.refuseFederation(ctx, v, &who, err)
	}
	keyID, err := seal.NewAccessKeyID("ASIA", who.Account())
	if err != nil {
		return seal.Secret{}, err
	}
	session := *who.Session()
	session.Expires, session.SignedIn = until, true
	state, err := json.Marshal(federation{principal.SignIn{Self: who.In(keyID, session)}, sessionIdentity(who)})
	if err != nil {
		return seal.Secret{}, err
	}
	token := newToken()
	event := federatedEvent(getSigninToken, api.Identity(who), map[string]string{"MobileVersion": "No"})
	return token, s.api.SignIn(store.OnAccount(ctx, who.Account()), v.Call, event, func(ctx context.Context) error {
		return s.db.Update(ctx, func(tx *store.Tx) error {
			return tx.InsertTicket(store.SignInTicket{
				Account: who.Account(), Federated: true, ID: store.TokenID(token.Reveal()), Purpose: federating,
				State: state, Created: tx.Now, Expires: tx.Now.Add(federationLife),
			})
		})
	})
}

// federatedUntil returns the end of a session that begins with temporary
// credentials. The texts are guesses.
func (s *Service) federatedUntil(session *principal.Session, lasts time.Duration) (time.Time, error) {
	switch {
	case session == nil || session.Role == nil && !session.Federated || session.SignedIn:
		return time.Time{}, awsmodel.Fail("AccessDenied",
			"Only the credentials of AssumeRole, AssumeRoleWithSAML, AssumeRoleWithWebIdentity and GetFederationToken "+
				"begin a session.")
	case lasts == 0:
		return session.Expires, nil
	case session.Chained:
		return time.Time{}, awsmodel.Fail("ValidationError",
			"SessionDuration cannot be given for a role that was taken by role chaining.")
	case session.Federated:
		return time.Time{}, awsmodel.Fail("ValidationError", "SessionDuration cannot be given for a federated user.")
	case lasts < leastSession || lasts > sessionLife:
		return time.Time{}, awsmodel.Fail("ValidationError", "SessionDuration must be between 900 and 43200 seconds.")
	}
	return s.db.Now().UTC().Truncate(second).Add(lasts), nil
}

// federatedEvent returns a function that creates the record of a step of a
// federated sign-in.
func federatedEvent(name string, who trail.Identity, data map[string]string) func(error) trail.Record {
	return func(failed error) trail.Record { return event(name, who, who.AccountID, failed, data) }
}

// refuseFederation records a refusal. If who is nil, the caller is unknown.
func (s *Service) refuseFederation(ctx context.Context, v Visit, who *principal.Caller, err error) error {
	var known *awsmodel.Error
	if !errors.As(err, &known) {
		return err
	}
	id := trail.Identity{Type: trail.Unknown}
	if who != nil {
		id = api.Identity(*who)
	}
	rec := event(getSigninToken, id, id.AccountID, err, map[string]string{"MobileVersion": "No"})
	rec.ErrorCode, rec.Stranger = awsmodel.Exception(known.Code), who == nil
	s.api.RecordSignIn(ctx, v.Call, rec)
	return err
}

// Federate begins a session with a token of SigninToken. The error is
// ErrStepGone if the token is unknown, used or too old.
func (s *Service) Federate(ctx context.Context, v Visit, token seal.Secret) (Step, error) {
	var f federation
	read := func(t store.SignInTicket, err error) error {
		if errors.Is(err, store.ErrNotFound) {
			return ErrStepGone
		}
		if err != nil {
			return err
		}
		return json.Unmarshal(t.State, &f)
	}
	id := store.TokenID(token.Reveal())
	err := s.db.View(ctx, func(tx *store.Tx) error { return read(tx.TicketByID(id, federating)) })
	if err != nil {
		return Step{}, err
	}
	step := Step{Kind: Done, Token: newToken(), Expires: f.Holds.Self.Session.Expires}
	account := f.Holds.Self.User.Account
	begun := federatedEvent(consoleLogin, f.Who, login(v, ""))
	err = s.api.SignIn(store.OnAccount(ctx, account), v.Call, begun, func(ctx context.Context) error {
		return s.db.Update(ctx, func(tx *store.Tx) error {
			if err := read(tx.TakeTicket(id, federating)); err != nil {
				return err
			}
			return tx.InsertSession(store.SignInSession{
				Account: account, Federated: true, ID: store.TokenID(step.Token.Reveal()), Handle: newHandle(),
				State: f.Holds.State(), Address: v.SourceIP, UserAgent: Cut(v.UserAgent),
				Created: tx.Now, Used: tx.Now, Expires: step.Expires,
			})
		})
	})
	if err != nil {
		return Step{}, err
	}
	return step, nil
}

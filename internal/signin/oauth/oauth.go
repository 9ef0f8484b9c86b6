// Package oauth gives developer tools (aws login) credentials of people who sign
// in. It uses OAuth 2.0's authorization code with PKCE (RFC 7636) and proof of
// possession (DPoP, RFC 9449). It has no pages and no cookies: another package
// shows the person the request, and returns the decision.
//
// It promises:
//
//   - A code is only sent to a program on the person's own machine, or shown to
//     the person. It works once, within ten minutes, for the client and the
//     redirect of the request, and only with the verifier.
//   - Credentials require a proof of the key with which the code was exchanged. A
//     proof is accepted once, on all nodes.
//   - A refresh token is replaced when it is used. A replaced token may be used
//     again within a minute, because answers get lost and programs run in
//     parallel: the answer contains its replacement. A later use means that the
//     token was stolen, and ends the session. A second use of a code ends it too.
//   - When a session has ended, its credentials fail on the next call, on every
//     node. The owner ends a session, or it ends with the password, the user or
//     the account, or 12 hours after the sign-in.
//   - The person needs signin:AuthorizeOAuth2Access, and signin:CreateOAuth2Token
//     for each refresh. The trail records each step. If it cannot, the step
//     fails.
//   - Codes are stored as hashes. Refresh tokens are not stored.
package oauth

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"rollcall/internal/api"
	"rollcall/internal/identity"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/signin"
	"rollcall/internal/store"
)

// Config holds the parts of a Service.
type Config struct {
	DB  *store.DB
	IAM *identity.Service
	API *api.API
	Log *slog.Logger // nil discards
}

// CodeLife is the time for which a code works.
const CodeLife = 10 * time.Minute

const (
	credentialLife = 15 * time.Minute
	// refreshGrace is the time for which the previous refresh token is
	// accepted.
	refreshGrace = time.Minute
)

// refreshPause limits how often a tool may refresh. Each process of the CLI
// refreshes every ten minutes.
var refreshPause = store.Pause{Free: 60, First: time.Second, Most: time.Minute, Forget: time.Minute}

// Service issues codes and credentials. It is safe for concurrent use.
type Service struct {
	db  *store.DB
	iam *identity.Service
	api *api.API
	log *slog.Logger
}

// New returns the service.
func New(cfg Config) *Service {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{db: cfg.DB, iam: cfg.IAM, api: cfg.API, log: cfg.Log}
}

// The clients.
const (
	sameDevice  = "arn:aws:signin:::devtools/same-device"
	crossDevice = "arn:aws:signin:::devtools/cross-device"
)

// resource returns the resource on which the caller's policies must allow the
// use of a client.
func resource(c principal.Caller, client string) string {
	kind := "localhost"
	if client == crossDevice {
		kind = "remote"
	}
	return "arn:" + c.Partition() + ":signin:" + c.Region() + ":" + c.Account() + ":oauth2/public-client/" + kind
}

// May says whether the policies allow the person to call Authorize.
func (s *Service) May(ctx context.Context, call api.Call, session *signin.Session, r *Request) error {
	_, err := s.permitCode(ctx, call, session, r)
	return err
}

func (s *Service) permitCode(ctx context.Context, call api.Call, session *signin.Session, r *Request) (
	principal.Caller, error) {
	of := resource(session.Caller, r.Client)
	return s.api.Permit(ctx, session.Caller, "signin", "AuthorizeOAuth2Access", of, call)
}

// Authorize returns a code for a tool. The person of the session has consented.
// A refusal is an *awsmodel.Error.
func (s *Service) Authorize(ctx context.Context, call api.Call, session *signin.Session, r *Request) (
	seal.Secret, error) {
	who, err := s.permitCode(ctx, call, session, r)
	if err != nil {
		s.api.RecordSignIn(ctx, call, authorized(who, r, err))
		return seal.Secret{}, err
	}
	g, code := session.Grant(), seal.NewSecret(seal.NewID("", 43))
	tool := principal.Tool{As: g.As, Client: r.Client, Redirect: r.Redirect, Challenge: r.challenge}
	made := func(failed error) record { return authorized(who, r, failed) }
	err = s.api.SignIn(store.OnAccount(ctx, g.Account), call, made, func(ctx context.Context) error {
		return s.db.Update(ctx, func(tx *store.Tx) error {
			return tx.InsertTool(store.ToolSession{
				Account: g.Account, NameKey: g.NameKey, Federated: g.Federated, ID: seal.NewID("", 20),
				CodeID: store.TokenID(code.Reveal()), TokenID: store.TokenID(s.family(code)), Session: g.Handle,
				State: tool.State(), Address: call.SourceIP, UserAgent: signin.Cut(call.UserAgent),
				Created: tx.Now, Renewed: tx.Now, Expires: g.Expires,
			})
		})
	})
	// A user who was deleted at this moment has no sessions.
	if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrNotFound) {
		err = signin.ErrNoSession
	}
	return code, err
}

// family returns the common prefix of all refresh tokens that come from a code.
func (s *Service) family(code seal.Secret) string { return s.iam.ToolToken("family", code.Reveal()) }

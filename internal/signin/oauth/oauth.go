// Package oauth gives developer tools the credentials of people who sign in:
// aws login, by OAuth 2.0's authorization code with PKCE (RFC 7636) and proof of
// possession (DPoP, RFC 9449). It knows no pages and no cookies: a door shows
// the person who asks and for what, and brings back what it said.
//
// It promises:
//
//   - A code goes to a program on the person's own machine, or is shown to the
//     person; nowhere else. It works for ten minutes, once, for the client and
//     the redirect that it was given for, and for who knows the verifier.
//   - Credentials are for who proves to have the key by which the code was
//     exchanged. A proof counts once, on all nodes.
//   - A refresh token is replaced as it is used. One that was replaced may come
//     once more within a minute, since answers get lost and programs run beside
//     each other: it gets the token that replaced it. Later, it is in the wrong
//     hands, and the session ends. So it does when a code comes twice.
//   - What came of a session that has ended is refused on the next call, on every
//     node: sessions end by their owner, with the password, the user or the
//     account, and 12 hours after the sign-in.
//   - Whoever acts needs signin:AuthorizeOAuth2Access, and with each refresh
//     signin:CreateOAuth2Token. Each step leaves its record, and nothing is given
//     without.
//   - Codes are stored as hashes, refresh tokens not at all.
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

// Config holds what a Service is made of.
type Config struct {
	DB  *store.DB
	IAM *identity.Service
	API *api.API
	Log *slog.Logger // nil discards
}

// CodeLife says how long a code works.
const CodeLife = 10 * time.Minute

const (
	credentialLife = 15 * time.Minute
	// refreshGrace says how long the refresh token before the last one is
	// taken.
	refreshGrace = time.Minute
)

// refreshPause bounds how often a tool may refresh. The CLI does every ten
// minutes, in each of its processes.
var refreshPause = store.Pause{Free: 60, First: time.Second, Most: time.Minute, Forget: time.Minute}

// Service gives out codes and credentials. Safe for concurrent use.
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

// resource returns what a caller's policies must let it use a client on.
func resource(c principal.Caller, client string) string {
	kind := "localhost"
	if client == crossDevice {
		kind = "remote"
	}
	return "arn:" + c.Partition() + ":signin:" + c.Region() + ":" + c.Account() + ":oauth2/public-client/" + kind
}

// May says whether Authorize would, by the policies that reach the person.
func (s *Service) May(ctx context.Context, call api.Call, session *signin.Session, r *Request) error {
	_, err := s.permitCode(ctx, call, session, r)
	return err
}

func (s *Service) permitCode(ctx context.Context, call api.Call, session *signin.Session, r *Request) (
	principal.Caller, error) {
	of := resource(session.Caller, r.Client)
	return s.api.Permit(ctx, session.Caller, "signin", "AuthorizeOAuth2Access", of, call)
}

// Authorize gives a tool a code that stands for the person of a session, who has
// consented. A refusal is an *awsmodel.Error.
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
	// A user who is deleted at this moment has no sessions any more.
	if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrNotFound) {
		err = signin.ErrNoSession
	}
	return code, err
}

// family returns what all refresh tokens begin with that come of a code.
func (s *Service) family(code seal.Secret) string { return s.iam.ToolToken("family", code.Reveal()) }

// Package signin lets people in: as root or as a user of an account, by
// password and MFA device, or by temporary credentials (federation). It knows
// no pages and no cookies: a door, such as the console, shows what a Step says
// and brings back what the person gave.
//
// A sign-in is a chain of steps. Begin takes the password. It answers with a
// Step that is Done, or that asks for more:
//
//	Begin ──► Device ──► AnswerCode, or AskPasskey and AnswerPasskey
//	  │          │
//	  ├──────────┴─────► NewPassword ──► ChoosePassword
//	  │                       │
//	  └───────────────────────┴────────► Done
//
// SigninToken and Federate are the two steps of a sign-in by temporary
// credentials. Other doors that hand out what is to be brought back once, such
// as codes of OAuth, keep it as a store.SignInTicket too.
//
// Each Step has a token of its own. The token of a step that is not Done opens
// nothing but the next step; it works for ten minutes. The token of Done is the
// session's: a door keeps it in its cookie, shows it to Open with each request,
// and gives the session's Caller to api.Invoke, with Call.Console set.
//
// What it promises:
//
//   - Whoever is refused learns neither from the text nor from the time whether
//     account, user or password was wrong: each try costs one hash.
//   - Tries are counted before they begin, on all nodes together: of a user
//     from one address, of a user, of an account, of an address. Each pause
//     after too many is longer than the one before, and ends. Whoever signed in
//     from an address lately is not held up there by what others try elsewhere.
//   - Few hashes run at one time, so that signed calls go on: ErrBusy.
//   - Where a person has an enabled device, no session begins without it. A code
//     and a challenge work once. A passkey is a second factor and no first one.
//   - A session ends after 12 hours, when it is not used, with its password, its
//     user and its account, on every node from the next request on. It goes on
//     under a new name. Tokens are stored as hashes only.
//   - Each step leaves its record in the trail, as AWS's CloudTrail has it, and
//     nobody is let in without. No password, code or token is in one.
package signin

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"runtime"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"rollcall/internal/api"
	"rollcall/internal/identity"
	"rollcall/internal/principal"
	"rollcall/internal/sigv4"
	"rollcall/internal/store"
	"rollcall/internal/sts"
)

// Config holds the parts of a Service.
type Config struct {
	DB  *store.DB
	IAM *identity.Service
	STS *sts.Service
	API *api.API
	Log *slog.Logger // nil discards
	// PublicURL is the URL under which browsers reach the service. Passkeys
	// belong to its host.
	PublicURL string
	// Idle bounds the time that a session may lie unused; 0 means DefaultIdle.
	Idle time.Duration
	// Hashes bounds the passwords that are hashed at one time, and Waiting the
	// sign-ins that wait for that; 0 means half of the processors, and 32.
	Hashes, Waiting int
}

// DefaultIdle is the time that a session may lie unused.
const DefaultIdle = time.Hour

// Lives of what is given out.
const (
	sessionLife = 12 * time.Hour // IAM: a console session lasts 12 hours at most
	stepLife    = 10 * time.Minute
)

// Service signs people in. Safe for concurrent use.
type Service struct {
	db   *store.DB
	iam  *identity.Service
	sts  *sts.Service
	api  *api.API
	log  *slog.Logger
	idle time.Duration

	credentials sigv4.Verifier[principal.Signer]

	hashing  *turns
	passkeys *webauthn.WebAuthn
	noKeys   error // why there are no passkeys
}

// New returns the service.
func New(cfg Config) *Service {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Idle <= 0 {
		cfg.Idle = DefaultIdle
	}
	if cfg.Hashes <= 0 {
		cfg.Hashes = max(1, runtime.GOMAXPROCS(0)/2)
	}
	if cfg.Waiting <= 0 {
		cfg.Waiting = 32
	}
	s := &Service{
		db: cfg.DB, iam: cfg.IAM, sts: cfg.STS, api: cfg.API, log: cfg.Log, idle: cfg.Idle,
		hashing:     newTurns(cfg.Hashes, cfg.Waiting),
		credentials: sigv4.Verifier[principal.Signer]{Lookup: cfg.IAM.SigningKey, Now: cfg.DB.Now},
	}
	s.passkeys, s.noKeys = relyingParty(cfg.PublicURL)
	return s
}

// PasskeysUsable says why no passkey can be used under the public URL, or nil.
func (s *Service) PasskeysUsable() error { return s.noKeys }

// relyingParty makes the host of the public URL the owner of all passkeys. Pages of other origins cannot use them.
func relyingParty(publicURL string) (*webauthn.WebAuthn, error) {
	if publicURL == "" {
		return nil, &Refusal{Reason: NoPasskeys,
			Text: "Passkeys need the URL under which browsers reach Rollcall: its " +
				"operator sets one by --public-url."}
	}
	u, err := url.Parse(publicURL)
	if err != nil {
		return nil, &Refusal{Reason: NoPasskeys, Text: "Passkeys need a public URL that can be read."}
	}
	host := u.Hostname()
	switch {
	case net.ParseIP(host) != nil:
		return nil, &Refusal{Reason: NoPasskeys, Text: fmt.Sprintf(
			"Passkeys belong to the name of a host, and %s is an IP address: set a public URL with a name, such as "+
				"http://localhost on this machine.", host)}
	case u.Scheme != "https" && host != "localhost":
		return nil, &Refusal{Reason: NoPasskeys, Text: "Browsers use passkeys on https:// pages and on localhost only."}
	}
	w, err := webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: "Rollcall", RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationPreferred,
		},
	})
	if err != nil {
		return nil, errors.Join(&Refusal{Reason: NoPasskeys, Text: "Passkeys cannot be used under this public URL."},
			err)
	}
	return w, nil
}

// Visit holds the facts that are known of the browser.
type Visit struct {
	api.Call
	// To is the URL of the page that the person wants to see.
	To string
}

// errMoved says that what decided about a sign-in is no longer so.
var errMoved = errors.New("something changed during the sign-in")

// Package signin signs people in, as root or as a user of an account, with a
// password and an MFA device, or with temporary credentials (federation). It has
// no pages and no cookies: another package, such as the console, shows each Step
// and returns the person's input.
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
// SigninToken and Federate are the two steps of a sign-in with temporary
// credentials. Other packages also use a store.SignInTicket for texts that are
// valid once, such as codes of OAuth.
//
// Each Step has its own token. The token of a step that is not Done only leads
// to the next step, and works for ten minutes. The token of Done belongs to the
// session: the console keeps it in a cookie, passes it to Open with each
// request, and passes the session's Caller to api.Invoke, with Call.Console set.
//
// It promises:
//
//   - Neither the text nor the time of a refusal reveals whether the account,
//     the user or the password was wrong: each attempt costs one hash.
//   - Attempts are counted before they begin, on all nodes together: for a user
//     from one address, for a user, for an account, for an address. After too
//     many attempts there are pauses of growing length. Each of them ends.
//     Attempts of others do not delay a person at an address where that person
//     signed in recently.
//   - Few hashes run at once, so signed calls continue: see ErrBusy.
//   - If a person has an enabled device, no session begins without it. A code
//     and a challenge work once. A passkey is a second factor and not a first
//     one.
//   - A session ends after 12 hours, or earlier if it is not used, or with its
//     password, its user or its account, on every node from the next request on.
//     It continues if the user is renamed. Only hashes of tokens are stored.
//   - The trail records each step in the form of AWS's CloudTrail. If it cannot,
//     the step fails. No record contains a password, a code or a token.
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
	// PublicURL is the URL at which browsers reach the service. Passkeys belong
	// to its host.
	PublicURL string
	// Idle is the time after which an unused session ends; 0 means DefaultIdle.
	Idle time.Duration
	// Hashes limits how many passwords are hashed at once, and Waiting how many
	// sign-ins wait for that. 0 means half of the processors, and 32.
	Hashes, Waiting int
}

// DefaultIdle is the default time after which an unused session ends.
const DefaultIdle = time.Hour

// Lifetimes of tokens and sessions.
const (
	sessionLife = 12 * time.Hour // IAM: a console session lasts at most 12 hours
	stepLife    = 10 * time.Minute
)

// Service signs people in. It is safe for concurrent use.
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

// PasskeysUsable returns the reason why passkeys cannot be used under the
// public URL, or nil.
func (s *Service) PasskeysUsable() error { return s.noKeys }

// relyingParty makes the host of the public URL the owner of all passkeys. Pages of other origins
// cannot use them.
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

// Visit holds the known facts about the browser.
type Visit struct {
	api.Call
	// To is the URL of the page that the person wants to see.
	To string
}

// errMoved says that the state that decided about a sign-in has changed.
var errMoved = errors.New("something changed during the sign-in")

// Hashing returns how many passwords are being hashed, and how many sign-ins
// wait for that.
func (s *Service) Hashing() (working, waiting int) { return s.hashing.lengths() }

package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"rollcall/internal/console"
	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// EmulatorConfig holds the settings of an Emulator.
type EmulatorConfig struct {
	// Account is the only account. If it has no root key, one is created.
	Account identity.AccountSpec
	Report  identity.ReportConfig
	Trail   string // as for trail.Open; "" means off
	// WebIdentityKeys is the location of identity providers' keys; see
	// sts.Config.
	WebIdentityKeys map[string]string
	// PublicURL is the URL at which clients and verifiers reach it; see
	// identity.Config.
	PublicURL string
	// Console, ConsoleURL and ConsoleHosts are those of Config.
	Console      bool
	ConsoleURL   string
	ConsoleHosts []string
	// Visited is called before the first page of the console is answered, and
	// again after each reset. It may be nil.
	Visited func(context.Context, *Service) error
	Now     func() time.Time // nil means time.Now
	Log     *slog.Logger     // nil discards
}

// Emulator is a service in memory with one account that can be reset, for tests
// and laptops. It is the real service, so it verifies signatures.
type Emulator struct {
	// Account and RootKey are the account and its root user's access key. A
	// reset keeps them.
	Account identity.AccountInfo
	RootKey identity.RootKey

	cfg     EmulatorConfig
	mu      sync.Mutex // guards current
	current *life
	past    sync.WaitGroup // counts the lives that are ending
}

// life is the emulator between two resets.
type life struct {
	*Service
	calls   sync.WaitGroup
	visited sync.Once
}

// OpenEmulator starts an emulator.
func OpenEmulator(ctx context.Context, cfg EmulatorConfig) (*Emulator, error) {
	if cfg.Trail == "" {
		cfg.Trail = "off"
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	e := &Emulator{cfg: cfg}
	l, account, err := e.begin(ctx, cfg.Account)
	if err != nil {
		return nil, err
	}
	e.current, e.Account, e.RootKey = l, account.AccountInfo, account.RootKey
	return e, nil
}

func (e *Emulator) begin(ctx context.Context, spec identity.AccountSpec) (*life, identity.NewAccount, error) {
	var account identity.NewAccount
	t, err := trail.Open(e.cfg.Trail)
	if err != nil {
		return nil, account, err
	}
	s, err := Open(ctx, Config{
		Store: store.Config{Memory: true, Now: e.cfg.Now}, Master: seal.InMemoryMasterKeys(),
		Trail: t, Report: e.cfg.Report, WebIdentityKeys: e.cfg.WebIdentityKeys, PublicURL: e.cfg.PublicURL,
		Console: e.cfg.Console, ConsoleURL: e.cfg.ConsoleURL, ConsoleHosts: e.cfg.ConsoleHosts, Log: e.cfg.Log,
		first: func(ctx context.Context, iam *identity.Service) (err error) {
			account, err = iam.CreateAccount(ctx, spec)
			return err
		},
	})
	if err != nil {
		return nil, account, errors.Join(err, t.Close())
	}
	return &life{Service: s}, account, nil
}

func (e *Emulator) end(l *life) error {
	l.calls.Wait()
	return l.Close()
}

// ServeHTTP answers one request of the API.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	l := e.current
	l.calls.Add(1)
	e.mu.Unlock()
	defer l.calls.Done()
	if e.cfg.Visited != nil && strings.HasPrefix(r.URL.Path, console.Root) {
		l.visited.Do(func() {
			if err := e.cfg.Visited(context.WithoutCancel(r.Context()), l.Service); err != nil {
				e.cfg.Log.Error("create users of the console", "error", err)
			}
		})
	}
	l.Handler.ServeHTTP(w, r)
}

// Reset empties the emulator. Only the account and its root key remain, as at
// the start. Calls in progress finish with the old data.
func (e *Emulator) Reset(ctx context.Context) error {
	spec := e.cfg.Account
	spec.ID, spec.RootKeyID, spec.RootSecret = e.Account.ID, e.RootKey.ID, e.RootKey.Secret
	next, _, err := e.begin(ctx, spec)
	if err != nil {
		return fmt.Errorf("reset: %w", err)
	}
	err = next.trail.Write(&trail.Record{
		UserIdentity: trail.Identity{Type: trail.Operator}, EventTime: time.Now(), EventSource: "rollcall.operator",
		EventName: "ResetEmulator", AWSRegion: "us-east-1", SourceIPAddress: "localhost", UserAgent: "rollcall",
		EventType: trail.OperatorAct, RecipientAccountID: spec.ID,
	})
	if err != nil {
		return errors.Join(fmt.Errorf("reset: %w", err), next.Close())
	}
	e.mu.Lock()
	old := e.current
	e.current = next
	e.mu.Unlock()
	e.past.Go(func() {
		if err := e.end(old); err != nil {
			e.cfg.Log.Warn("reset", "error", err)
		}
	})
	return nil
}

// Close ends the emulator. No requests may follow.
func (e *Emulator) Close() error {
	e.past.Wait()
	return e.end(e.current)
}

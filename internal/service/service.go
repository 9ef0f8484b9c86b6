// Package service assembles the parts of a running Rollcall on one store, for
// the server, the emulator and the tests.
package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"rollcall/internal/api"
	"rollcall/internal/audit"
	"rollcall/internal/awsmodel"
	"rollcall/internal/console"
	"rollcall/internal/identity"
	"rollcall/internal/organizations"
	"rollcall/internal/requestid"
	"rollcall/internal/seal"
	"rollcall/internal/server"
	"rollcall/internal/signin"
	"rollcall/internal/signin/oauth"
	"rollcall/internal/store"
	"rollcall/internal/sts"
	"rollcall/internal/throttle"
	"rollcall/internal/trail"
)

// Config holds the settings of a service. The zero value of each has the
// meaning that its package documents.
type Config struct {
	Store store.Config
	// Master opens the store's secrets. If it is nil, the file MasterFile is
	// used, which is created for an empty store (ErrNoMasterKey).
	Master     *seal.MasterKeys
	MasterFile string
	Trail      *trail.Trail
	Report     identity.ReportConfig
	Keys       identity.KeyConfig
	Regions    []string
	// WebIdentityKeys is the location of identity providers' keys; see
	// sts.Config.
	WebIdentityKeys map[string]string
	// PublicURL is the URL at which clients and verifiers reach the service;
	// see identity.Config.
	PublicURL string
	// Console enables the pages for people.
	Console bool
	// ConsoleURL is the URL at which browsers reach the service, if it differs
	// from PublicURL. "" means only this machine.
	ConsoleURL string
	// Audit configures the judging of reports in the console; nil means the
	// default benchmark.
	Audit *audit.Config
	// ConsoleHosts are further host names of the pages.
	ConsoleHosts []string
	// SessionIdle is the time after which an unused session of a person ends; 0
	// means signin.DefaultIdle.
	SessionIdle time.Duration
	// Derive hashes passwords. Hashes limits how many at once; see
	// identity.Config.
	Derive func(seal.Derivation) []byte
	Hashes int
	// CallTimeout is the maximum duration of a call, including the database; 0
	// means 10 s.
	CallTimeout time.Duration
	// Rate and AccountRate limit the calls per second of one principal, with all
	// its keys and sessions, and of one account. StrangerRate limits the
	// unverifiable requests of one address. 0 means no limit.
	Rate, AccountRate, StrangerRate    float64
	Burst, AccountBurst, StrangerBurst int
	Log                                *slog.Logger
	// Metrics registers the metrics; nil counts nothing.
	Metrics *metrics.Set

	// first runs before anything else in IAM, if it is not nil.
	first func(context.Context, *identity.Service) error
}

// Service is a running Rollcall. Its Handler answers the API.
type Service struct {
	IAM     *identity.Service
	API     *api.API
	SignIn  *signin.Service
	Handler http.Handler
	db      *store.DB
	trail   *trail.Trail
	// masterFile is empty if the master key is not in a file.
	masterFile string
	recover    context.CancelFunc
	ended      <-chan struct{} // closed when recover has ended everything that it stops
}

// Ahead starts what Open needs on another processor, for commands that have
// something to do before they call Open.
func Ahead() { go awsmodel.Load() }

// Open opens the store and its secrets. The trail is closed with the service.
func Open(ctx context.Context, cfg Config) (*Service, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Log = requestid.Log(cfg.Log)
	if cfg.Store.Timeout == 0 {
		cfg.Store.Timeout = cfg.CallTimeout
	}
	Ahead() // in parallel with the store, which takes as long
	db, err := store.Open(ctx, cfg.Store)
	if err != nil {
		return nil, err
	}
	masterFile := ""
	if cfg.Master == nil {
		masterFile = cfg.MasterFile
		if cfg.Master, err = keyFile(ctx, db, cfg.MasterFile); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	iam := identity.Prepare(identity.Config{
		DB: db, Master: cfg.Master, Log: cfg.Log, Report: cfg.Report, Keys: cfg.Keys, PublicURL: cfg.PublicURL,
		Derive: cfg.Derive, Hashes: cfg.Hashes,
	})
	opened := make(chan error, 1)
	go func() { opened <- cfg.openIAM(ctx, iam) }() // in parallel with the registration of the actions
	var metrics *server.Metrics
	if cfg.Metrics != nil {
		metrics = server.NewMetrics(cfg.Metrics)
	}
	tokens := sts.New(db, iam, sts.Config{WebIdentityKeys: cfg.WebIdentityKeys, Log: cfg.Log})
	accounts := organizations.New(iam)
	actions := slices.Concat(iam.Actions(), tokens.Actions(), accounts.Actions())
	a := api.New(actions, iam.Access(), cfg.Trail, cfg.Log, db.Now)
	if err := <-opened; err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if !cfg.Store.Memory { // whose keys end with the process
		cfg.Trail.SignWith(iam.SignTrail)
	}
	a.Observe(iam.Observe)
	a.ExplainDenials(iam.SealMessage)
	a.Outbox(db, flush(cfg.Trail, iam.TrailMAC))
	a.Throttle(throttle.New(cfg.Rate, cfg.Burst, db.Now), throttle.New(cfg.AccountRate, cfg.AccountBurst, db.Now))
	s := &Service{IAM: iam, API: a, db: db, trail: cfg.Trail, masterFile: masterFile}
	s.expectTrail(ctx, cfg)
	recovering, stop := context.WithCancel(context.WithoutCancel(ctx))
	people := signin.New(
		signin.Config{DB: db, IAM: iam, STS: tokens, API: a, Log: cfg.Log, PublicURL: cfg.consoleURL(),
			Idle: cfg.SessionIdle})
	tools := oauth.New(oauth.Config{DB: db, IAM: iam, API: a, Log: cfg.Log})
	pages, err := cfg.pages(iam, tokens, accounts, a, people, tools, db.Now)
	if err != nil {
		stop()
		return nil, errors.Join(err, db.Close())
	}
	s.SignIn, s.recover, s.ended = people, stop, a.Recover(recovering)
	s.Handler = server.New(server.Config{
		API: a, Lookup: iam.SigningKey, Used: db.KeyUsed, Regions: cfg.Regions,
		StrangerRate: cfg.StrangerRate, StrangerBurst: cfg.StrangerBurst,
		Now: db.Now, Log: cfg.Log, Metrics: metrics, CallTimeout: cfg.CallTimeout,
		Public: iam.IssuerDocument, PublicAge: identity.IssuerDocumentAge, Pages: pages,
	})
	if cfg.Metrics != nil {
		s.figures(cfg.Metrics)
	}
	return s, nil
}

// openIAM opens IAM, and does what comes first in it.
func (c *Config) openIAM(ctx context.Context, iam *identity.Service) error {
	if err := iam.Open(ctx); err != nil || c.first == nil {
		return err
	}
	err := c.first(ctx, iam)
	if err != nil {
		iam.Close()
	}
	return err
}

// Ready returns an error unless the service can answer, which requires its
// store.
func (s *Service) Ready(ctx context.Context) error { return s.db.Ping(ctx) }

// Close ends running report jobs, writes pending data and closes the store. No
// request may be in progress.
func (s *Service) Close() error {
	s.IAM.Close()
	s.recover()
	<-s.ended
	var errs []error
	if err := s.closeTrail(); err != nil {
		errs = append(errs, fmt.Errorf("close trail: %w", err))
	}
	if err := s.db.Close(); err != nil {
		errs = append(errs, fmt.Errorf("close store: %w", err))
	}
	return errors.Join(errs...)
}

func (c *Config) consoleURL() string { return cmp.Or(c.ConsoleURL, c.PublicURL) }

// pages returns the console, nil if there is none.
func (c *Config) pages(
	iam *identity.Service, tokens *sts.Service, accounts *organizations.Service, a *api.API, people *signin.Service,
	tools *oauth.Service, now func() time.Time,
) (server.Pages, error) {
	if !c.Console {
		return nil, nil
	}
	return console.New(console.Config{
		IAM: iam, STS: tokens, Organizations: accounts, API: a, SignIn: people, Tools: tools, Audit: c.Audit,
		Trail: c.Trail, URL: c.consoleURL(), Hosts: c.ConsoleHosts, Now: now, Log: c.Log,
	})
}

// Package identity implements IAM: accounts, users, their credentials, and the
// credential report. It has one file for each kind of resource. Each action is
// a method with the AWS SDK's own input and output. It runs after the model's
// checks and the authorization.
//
// Each method is one transaction: it makes all of its changes or none, and its
// answer was true at one moment. The package knows nothing of the wire, of
// HTTP, or of the database's engine.
package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"

	"rollcall/internal/access"
	"rollcall/internal/awsmodel"
	"rollcall/internal/guard"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// Config holds the parts and the settings of a Service.
type Config struct {
	DB     *store.DB
	Master *seal.MasterKeys
	Log    *slog.Logger // nil discards the log
	Report ReportConfig
	Keys   KeyConfig
	// PublicURL is the URL at which clients and verifiers reach the service, in
	// the form that ParsePublicURL returns. Without it there is no outbound
	// federation.
	PublicURL string
	// Hashes limits how many passwords are hashed at the same time. 0 means the
	// number of processors. Derive hashes them; nil means in this process.
	Hashes int
	Derive func(seal.Derivation) []byte
}

// Service is IAM on a store. It is safe for concurrent use.
type Service struct {
	db     *store.DB
	keys   *seal.Keyring
	master *seal.MasterKeys
	hasher *seal.Hasher
	log    *slog.Logger
	report ReportConfig
	// keyLimits say when a data key is replaced.
	keyLimits KeyConfig
	node      string // identifies this process in leases
	access    *access.Access
	publicURL string

	reportTurn chan struct{}              // holds one entry for each report being generated
	unpack     *zstd.Decoder              // unpacks stored reports, for all readers
	places     atomic.Pointer[basePlaces] // of the base that was needed last

	jobs sync.WaitGroup
	// reporting counts the report jobs that run.
	reporting atomic.Int64
	jobsCtx   context.Context
	stopJobs  context.CancelFunc
}

// New opens the secrets of a store and returns the service on it. The error
// wraps seal.ErrWrongMasterKey if the master key does not belong to this store.
func New(ctx context.Context, cfg Config) (*Service, error) {
	s := Prepare(cfg)
	if err := s.Open(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Prepare returns a service that nothing may be asked of before Open, except its
// Actions and Access.
func Prepare(cfg Config) *Service {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{
		db: cfg.DB, master: cfg.Master, keyLimits: cfg.Keys.withDefaults(), log: cfg.Log,
		report: cfg.Report.withDefaults(), node: seal.NewID("node-", 21),
		hasher:     seal.NewHasher(cfg.Hashes, cfg.Derive),
		access:     access.New(cfg.DB),
		publicURL:  cfg.PublicURL,
		reportTurn: make(chan struct{}, reportJobs),
	}
	s.jobsCtx, s.stopJobs = context.WithCancel(context.Background())
	return s
}

// Open opens the secrets, and starts the jobs of this process.
func (s *Service) Open(ctx context.Context) (err error) {
	if s.keys, err = openKeyring(ctx, s.db, s.master, s.keyLimits); err != nil {
		return fmt.Errorf("open secrets: %w", err)
	}
	if s.unpack, err = zstd.NewReader(nil, zstd.WithDecoderLowmem(true)); err != nil {
		return fmt.Errorf("open decoder of reports: %w", err)
	}
	s.jobs.Go(s.forgetFromTimeToTime)
	s.jobs.Go(s.tendKeysFromTimeToTime)
	return nil
}

// Access returns the authorizer for calls on this store.
func (s *Service) Access() *access.Access { return s.access }

// Close ends the jobs of this process and returns the leases of reports.
func (s *Service) Close() {
	s.stopJobs()
	s.jobs.Wait()
	s.unpack.Close()
	s.countKeysAtEnd()
}

// Background runs f in the background. Close cancels its context and waits for
// it. A panic of f is logged.
func (s *Service) Background(f func(ctx context.Context)) {
	s.jobs.Go(func() {
		err := guard.Run(func() error { f(s.jobsCtx); return nil })
		if err != nil {
			s.log.ErrorContext(s.jobsCtx, "background work has ended early", "error", err)
		}
	})
}

// Short names for functions that every method uses.
var fail = awsmodel.Fail

// fold returns a name in the form in which names are compared. IAM CreateUser:
// names are unique without regard to case. Names are ASCII.
func fold(name string) string { return strings.ToLower(name) }

// str reads an optional string of an input.
func str(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// ptr returns a pointer to a value, for a member of an output.
func ptr[T any](v T) *T { return &v }

// when returns a date for an output, nil for the zero time.
func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// errNoUser returns the answer of nearly every action with a UserName for a
// user that does not exist (recorded).
func errNoUser(name string) error {
	return fail("NoSuchEntity", "The user with name %s cannot be found.", name)
}

// user reads the user that an action names.
func user(tx *store.Tx, account string, name string) (store.User, error) {
	return named(name, func(key string) (store.User, error) { return tx.User(account, key) })
}

// named reads the user of a name by its folded name. Only root has none.
func named[T any](name string, byName func(nameKey string) (T, error)) (T, error) {
	u, err := byName(fold(name))
	if errors.Is(err, store.ErrNotFound) || err == nil && name == "" {
		return u, errNoUser(name)
	}
	return u, err
}

// userOrCaller reads the user that an action names. If it names none, it reads
// the caller: most actions on credentials default to the caller. For root that
// is root itself.
func userOrCaller(tx *store.Tx, c principal.Caller, name *string) (store.User, error) {
	return namedOrCaller(c, name, func(key string) (store.User, error) { return tx.User(c.Account(), key) },
		func(id string) (store.User, error) { return tx.UserByID(c.Account(), id) })
}

// namedOrCaller is userOrCaller for what is read of a user by its folded name or
// by its unique id.
func namedOrCaller[T any](
	c principal.Caller, name *string, byName func(nameKey string) (T, error), byID func(id string) (T, error),
) (u T, err error) {
	if name != nil {
		return named(*name, byName)
	}
	if !c.HasUser() {
		return u, errNoUserName()
	}
	if u, err = byID(c.User().ID); err != nil {
		return u, fmt.Errorf("read the caller: %w", err) // if the user was deleted, the funnel reports it
	}
	return u, nil
}

// arn returns the ARN of a user in the caller's account.
func arn(c principal.Caller, u store.User) string {
	if u.NameKey == "" {
		return principal.RootARN(c.Partition(), c.Account())
	}
	return principal.UserARN(c.Partition(), c.Account(), u.Path, u.Name)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rollcall/internal/audit"
	"rollcall/internal/hashing"
	"rollcall/internal/identity"
	"rollcall/internal/memory"
	"rollcall/internal/ownfile"
	"rollcall/internal/server"
	"rollcall/internal/service"
	"rollcall/internal/signin"
	"rollcall/internal/store"
	"rollcall/internal/sts"
	"rollcall/internal/trail"
)

// serveRun is one run of 'rollcall serve'.
type serveRun struct {
	install
	listen, adminListen string
	tlsCert, tlsKey     string
	allowHTTP           bool
	trail               string
	trailSync           bool
	report              identity.ReportConfig
	useSpan             time.Duration
	passwordSpan        time.Duration
	sessionIdle         time.Duration
	callTimeout         time.Duration
	regions             []string
	rate                float64
	burst               int
	accountRate         float64
	accountBurst        int
	strangerRate        float64
	strangerBurst       int
	connections         int
	perAddress          int
	providers           []string
	publicURL           string
	console             bool
	auditConfig         string
	readyFile           string
	passwords           *hashing.Process
	log                 logFlags
}

func serveCommand(p *process) *cobra.Command {
	s := &serveRun{install: install{p: p}}
	c := &cobra.Command{
		Use:     "serve",
		GroupID: "service",
		Short:   "Run the service",
		Long: `Run the service: IAM, STS and the credential report. Its data is in a directory
or in PostgreSQL.

The first start creates the data directory and, in it, the master key file. Keep
a copy of that file apart from the data: without it no secret can be read.

SIGTERM or Ctrl-C stops the service once the calls in progress have ended. A
second one stops it at once. SIGHUP reopens the trail file and reloads the TLS
certificate.

` + settingsHelp("listen"),
		Example: `  rollcall serve
  rollcall serve --listen :8443 --tls-cert cert.pem --tls-key key.pem
  rollcall serve --store env://DATABASE_URL --trail - --log-format json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.run(cmd.Context()) },
	}
	s.install.add(c)
	s.addFlags(c.Flags())
	s.log.add(c)
	must(c.MarkFlagFilename("tls-cert"))
	must(c.MarkFlagFilename("tls-key"))
	return c
}

// addFlags adds the flags of the service itself.
func (s *serveRun) addFlags(f *pflag.FlagSet) {
	f.StringVar(&s.listen, "listen", defaultListen, "`address` of the API")
	f.StringVar(&s.tlsCert, "tls-cert", "", "PEM `file` of the TLS certificate chain")
	f.StringVar(&s.tlsKey, "tls-key", "", "PEM `file` of the certificate's key")
	f.BoolVar(&s.allowHTTP, "allow-http", false, "allow plain HTTP on addresses that other machines can reach")
	f.StringVar(&s.adminListen, "admin-listen", "127.0.0.1:8586", "`address` of /healthz, /readyz and /metrics, or off")
	f.StringVar(&s.trail, "trail", "",
		"where to record every call, in CloudTrail's form: a `file`, - for standard output, unix:///SOCKET, "+
			"syslog+unix:///dev/log, syslog+udp://HOST:PORT (or +tcp, or +tls with ?ca=FILE), "+
			"or off (default trail.jsonl in the data directory)")
	f.BoolVar(&s.trailSync, "trail-sync", false, "acknowledge a change only after its record is on disk")
	f.DurationVar(&s.report.MaxAge, "report-max-age", 10*time.Second,
		"return an existing report up to this age instead of generating a new one; AWS uses 4h")
	f.DurationVar(&s.report.Expiry, "report-expiry", 0, "return no report that is older than this; 0 is no limit")
	s.report.History = store.ReportHistory{Count: identity.ReportCount, Age: identity.ReportAge}
	f.Var((*historyFlag)(&s.report.History), "report-history",
		"keep the reports of each account up to this `age`, such as 400d, or keep this many")
	f.DurationVar(&s.useSpan, "last-used-span", 0,
		"record at most one use of a key in this time; AWS uses 15m, 0 records every second")
	f.DurationVar(&s.passwordSpan, "password-used-span", 0,
		"record at most one use of a password in this time; AWS uses 5m, 0 records every second")
	f.DurationVar(&s.sessionIdle, "session-idle", signin.DefaultIdle,
		"end a session of the console after this time without use; it always ends after 12h")
	f.DurationVar(&s.callTimeout, "call-timeout", server.DefaultCallTimeout,
		"answer 503 to a call that takes longer than this, which includes waiting for the database")
	f.StringSliceVar(&s.regions, "region", nil, "accept only signatures for these `regions`")
	s.addLimits(f)
	f.StringSliceVar(&s.providers, "web-identity-keys", nil, webIdentityUsage)
	f.StringVar(&s.publicURL, "public-url", "", publicURLUsage+
		"; without it outbound federation is refused, and only browsers on this machine reach the console")
	f.BoolVar(&s.console, "console", true, consoleUsage)
	f.StringVar(&s.auditConfig, "audit-config", "",
		"YAML `file` by which the console audits reports, as for 'rollcall audit --config'")
	f.StringVar(&s.readyFile, "ready-file", "", "write the API's URL to this `file` once the service answers")
	settings(f, "listen", "tls-cert", "tls-key", "allow-http", "admin-listen", "trail", "trail-sync", "report-max-age",
		"report-expiry", "report-history", "last-used-span", "password-used-span", "session-idle",
		"call-timeout", "region", "rate-limit",
		"rate-burst",
		"account-rate-limit", "account-rate-burst", "stranger-rate-limit", "stranger-rate-burst", "max-connections",
		"max-connections-per-address", "web-identity-keys", "public-url", "console", "audit-config", "ready-file")
}

// usualRate is the number of calls per second that a user, and an account, may make
// by default. Above it they may make usualBurst more: a person who measures
// the service or imports users for some seconds is not refused, and a flood is.
const (
	usualRate  = 8000
	usualBurst = 30 * usualRate
)

// burst returns the calls above a rate; 0 is as many as the rate.
func burst(rate float64, set int) int {
	if rate == usualRate && set == 0 {
		return usualBurst
	}
	return set
}

// addLimits adds the flags that limit clients.
func (s *serveRun) addLimits(f *pflag.FlagSet) {
	f.Float64Var(&s.rate, "rate-limit", usualRate,
		"calls per second that one user or role may make, with all its keys and sessions; 0 is no limit")
	f.IntVar(&s.burst, "rate-burst", 0,
		"calls above --rate-limit that it may make at once (default the limit; 240,000 with the default limit)")
	f.Float64Var(&s.accountRate, "account-rate-limit", usualRate,
		"calls per second that one account may make; 0 is no limit")
	f.IntVar(&s.accountBurst, "account-rate-burst", 0,
		"calls above --account-rate-limit that it may make at once (default the limit; 240,000 with the default "+
			"limit)")
	f.Float64Var(&s.strangerRate, "stranger-rate-limit", 100,
		"requests per second without a valid signature that one address, or one /64 network of IPv6, may send; 0 is "+
			"no limit")
	f.IntVar(&s.strangerBurst, "stranger-rate-burst", 1000,
		"requests above --stranger-rate-limit that it may send at once")
	f.IntVar(&s.connections, "max-connections", 0,
		"accept this many connections at once (default what memory and file descriptors allow, 10000 at most)")
	f.IntVar(&s.perAddress, "max-connections-per-address", 0,
		"accept this many connections at once from one address, or one /64 network of IPv6 (default half of all)")
}

// webIdentityUsage explains how tokens of identity providers are verified.
const webIdentityUsage = "verify the web identity tokens of an issuer with its JSON Web Key Set: " +
	"https://`ISSUER=FILE` or =URL; may be repeated"

// publicURLUsage explains the URL that names the issuers of web identity tokens,
// and that passkeys belong to.
const publicURLUsage = "`URL` at which browsers and verifiers of tokens reach the service: " +
	"the console is there, and the URLs of outbound federation's issuers begin with it"

// consoleUsage says where people find the console.
const consoleUsage = "serve the web console, at /console/"

// publicURL reads --public-url. It accepts plain HTTP to another machine only if
// plain is set, because an attacker could replace keys on the way.
func publicURL(text string, plain bool) (string, error) {
	if text == "" {
		return "", nil
	}
	link, err := identity.ParsePublicURL(text)
	if err != nil {
		return "", usageError("--public-url: %v", err)
	}
	u, err := url.Parse(link)
	if err != nil {
		return "", usageError("--public-url: %v", err)
	}
	ip := net.ParseIP(u.Hostname())
	if here := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback(); u.Scheme == "http" && !here && !plain {
		return "", usageError("--public-url %s: somebody could replace the keys that verifiers read; "+
			"give an https:// URL, or --allow-http to use it anyway", link)
	}
	return link, nil
}

func (s *serveRun) check() error {
	switch {
	case (s.tlsCert == "") != (s.tlsKey == ""):
		return usageError("--tls-cert and --tls-key belong together")
	case s.report.MaxAge <= 0:
		return usageError(
			"--report-max-age must be more than 0: otherwise a client that waits for its report would never get it")
	case s.sessionIdle < 2*time.Minute:
		return usageError("--session-idle must be at least 2m, because the use of a session is noted once per minute")
	case s.callTimeout < 100*time.Millisecond:
		return usageError("--call-timeout must be at least 100ms")
	}
	return s.checkLimits()
}

// checkLimits returns an error that names the limits that are negative. NaN is a
// number for the parser of flags, and no rate.
func (s *serveRun) checkLimits() error {
	var wrong []string
	for _, limit := range []struct {
		flag  string
		value float64
	}{
		{"report-expiry", float64(s.report.Expiry)}, {"last-used-span", float64(s.useSpan)},
		{"password-used-span", float64(s.passwordSpan)},
		{"rate-limit", s.rate}, {"rate-burst", float64(s.burst)},
		{"account-rate-limit", s.accountRate}, {"account-rate-burst", float64(s.accountBurst)},
		{"stranger-rate-limit", s.strangerRate}, {"stranger-rate-burst", float64(s.strangerBurst)},
		{"max-connections", float64(s.connections)}, {"max-connections-per-address", float64(s.perAddress)},
	} {
		if limit.value < 0 || math.IsNaN(limit.value) {
			wrong = append(wrong, "--"+limit.flag)
		}
	}
	if wrong != nil {
		return usageError("%s must be 0 or more", strings.Join(wrong, " and "))
	}
	return nil
}

// grace is the time that calls in progress have to end when the service stops.
const grace = 30 * time.Second

// adminLimits are the limits of a listener that few machines use.
var adminLimits = server.Limits{Connections: 64, Strangers: 64, PerAddress: 64, Memory: 1 << 20}

// limits returns the limits of the API's listener on a machine with this number
// of bytes of memory, 0 if unknown.
func (s *serveRun) limits(granted int64) server.Limits {
	l := server.Limits{Connections: s.connections, PerAddress: s.perAddress}
	if granted <= 0 {
		return l
	}
	if l.Connections == 0 {
		l.Connections = int(min(max(granted/(64<<10), 256), 10_000))
	}
	l.Memory = min(granted/8, 64<<20)
	return l
}

// run runs the service until ctx ends.
func (s *serveRun) run(ctx context.Context) error {
	if err := s.check(); err != nil {
		return err
	}
	log, err := s.log.open(s.p)
	if err != nil {
		return err
	}
	noCoreDumps()
	granted := memory.Granted(os.DirFS("/"))
	memory.Fit(granted)
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)

	figures := metrics.NewSet()
	metrics.ExposeMetadata(true)
	figures.RegisterMetricsWriter(metrics.WriteProcessMetrics)
	figures.RegisterMetricsWriter(metrics.WriteFDMetrics)
	s.passwords = hashing.New("", log)
	defer s.passwords.Close()
	svc, t, err := s.open(ctx, log, figures)
	if err != nil {
		return err
	}
	api, admin, cert, err := s.listeners()
	if err != nil {
		return errors.Join(err, svc.Close())
	}
	if err := s.announce(ctx, svc, log, api, admin); err != nil {
		return errors.Join(err, svc.Close())
	}

	// The admin listener outlives the API's, so that operators can watch the
	// service stop.
	rest, stop := context.WithCancel(context.WithoutCancel(ctx))
	checks := []server.Check{{Name: "store", Run: svc.Ready}, {Name: "master key", Run: svc.KeysReady},
		{Name: "trail", Run: func(context.Context) error { return t.Probe() }}}
	var adminErr error
	var wait sync.WaitGroup
	if admin != nil {
		wait.Go(func() {
			adminErr = server.Serve(rest, server.Limit(admin, adminLimits),
				server.Admin(checks, figures, log), log, time.Second)
		})
	}
	wait.Go(func() { s.onHangup(rest, hangup, t, cert, log) })
	err = server.Serve(ctx, server.Limit(api, s.limits(granted)), svc.Handler, log, grace)
	stop()
	wait.Wait()
	err = errors.Join(err, adminErr, svc.Close())
	if err == nil {
		log.Info("stopped")
	}
	return err
}

func (s *serveRun) open(ctx context.Context, log *slog.Logger, figures *metrics.Set) (*service.Service,
	*trail.Trail, error) {
	keys, err := sts.ParseWebIdentityKeys(s.providers)
	if err != nil {
		return nil, nil, usageError("--web-identity-keys: %v", err)
	}
	public, err := publicURL(s.publicURL, s.allowHTTP)
	if err != nil {
		return nil, nil, err
	}
	judged, err := s.auditBy()
	if err != nil {
		return nil, nil, err
	}
	db, err := s.database(true)
	if err != nil {
		return nil, nil, err
	}
	db.UseSpan, db.PasswordSpan = s.useSpan, s.passwordSpan
	if s.trail == "" {
		s.trail = filepath.Join(s.data, "trail.jsonl")
	}
	t, err := trail.Open(s.trail)
	if err != nil {
		return nil, nil, err
	}
	t.Sync = s.trailSync
	svc, err := service.Open(ctx, service.Config{
		Store: db, Audit: judged, MasterFile: s.masterFile(), Trail: t, Report: s.report, CallTimeout: s.callTimeout,
		Regions: s.regions, Rate: s.rate, Burst: burst(s.rate, s.burst),
		AccountRate: s.accountRate, AccountBurst: burst(s.accountRate, s.accountBurst), StrangerRate: s.strangerRate,
		StrangerBurst:   s.strangerBurst,
		WebIdentityKeys: keys, PublicURL: public, Console: s.console, ConsoleURL: s.consoleURL(public),
		SessionIdle: s.sessionIdle,
		Derive:      s.passwords.Derive, Hashes: s.passwords.Workers(), Log: log, Metrics: figures,
	})
	if err != nil {
		return nil, nil, errors.Join(s.explain(err), t.Close())
	}
	return svc, t, nil
}

// auditBy returns the configuration by which the console judges reports, nil for
// the default benchmark.
func (s *serveRun) auditBy() (config *audit.Config, err error) {
	if s.auditConfig == "" {
		return nil, nil
	}
	return readAuditConfig(s.auditConfig, false)
}

// consoleURL returns the address at which browsers reach the service: its
// public URL, or this machine's own name if it only listens here. It is "" if
// it is unknown.
func (s *serveRun) consoleURL(public string) string {
	host, port, err := net.SplitHostPort(s.listen)
	ip := net.ParseIP(host)
	switch {
	case public != "":
		return public
	case err != nil, port == "0", host != "localhost" && (ip == nil || !ip.IsLoopback()):
		return ""
	}
	return s.scheme() + "localhost:" + port
}

func (s *serveRun) scheme() string {
	if s.tlsCert != "" {
		return "https://"
	}
	return "http://"
}

// listeners opens the addresses. admin is nil if it is off.
func (s *serveRun) listeners() (api, admin net.Listener, cert *server.Certificate, err error) {
	if s.tlsCert != "" {
		if cert, err = server.LoadCertificate(s.tlsCert, s.tlsKey); err != nil {
			return nil, nil, nil, err
		}
	}
	api, err = listen("listen", s.listen, cert, s.allowHTTP)
	if errors.Is(err, server.ErrPlainHTTP) {
		return nil, nil, nil,
			usageError("%w: others could read new secrets in answers; give --tls-cert and --tls-key, or "+
				"--allow-http to listen anyway", err)
	}
	if err != nil || s.adminListen == "off" {
		return api, nil, cert, err
	}
	admin, err = listen("admin-listen", s.adminListen, nil, s.allowHTTP)
	if errors.Is(err, server.ErrPlainHTTP) {
		err = usageError("%w: --allow-http allows it for the admin listener too", err)
	}
	if err != nil {
		api.Close()
	}
	return api, admin, cert, err
}

// announce prints the service's addresses, and the first thing to do.
func (s *serveRun) announce(ctx context.Context, svc *service.Service, log *slog.Logger, api,
	admin net.Listener) error {
	accounts, err := svc.IAM.Accounts(ctx)
	if err != nil {
		return err
	}
	url := s.scheme() + api.Addr().String()
	where := s.data
	if s.store != "" {
		where = "PostgreSQL"
	}
	adminAt := "off"
	if admin != nil {
		adminAt = "http://" + admin.Addr().String()
	}
	if s.log.json {
		log.Info("listening", "url", url, "admin", adminAt, "data", where, "accounts",
			len(accounts), "version", version())
		if len(accounts) == 0 {
			log.Info("there is no account yet", "create", "rollcall account create"+s.flags())
		}
		return writeReady(s.readyFile, url)
	}
	s.p.tell("rollcall: listening on %s, admin on %s, data in %s\n", url, adminAt, where)
	if at := s.consoleURL(s.publicURL); s.console && at != "" {
		s.p.tell("rollcall: console at %s/console/\n", strings.TrimRight(at, "/"))
	}
	if len(accounts) == 0 {
		s.p.tell("rollcall: there is no account yet; create the first with: rollcall account create%s\n", s.flags())
	}
	return writeReady(s.readyFile, url)
}

// writeReady writes the URL to a file that other programs wait for. They never
// see part of it.
func writeReady(path, url string) error {
	if path == "" {
		return nil
	}
	err := ownfile.Write(path, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, url)
		return err
	})
	if err != nil {
		return fmt.Errorf("write --ready-file: %w", err)
	}
	return nil
}

// onHangup reopens the trail and reloads the certificate on each SIGHUP.
func (s *serveRun) onHangup(ctx context.Context, hangup <-chan os.Signal, t *trail.Trail, cert *server.Certificate,
	log *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
		}
		err := t.Reopen()
		if cert != nil {
			err = errors.Join(err, cert.Reload())
		}
		if err != nil {
			log.Error("reopen", "error", err)
			continue
		}
		log.Info("reopened trail and certificate")
	}
}

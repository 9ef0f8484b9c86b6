package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/identity"
	"rollcall/internal/memory"
	"rollcall/internal/seal"
	"rollcall/internal/server"
	"rollcall/internal/service"
	"rollcall/internal/sts"
)

// devRun is one run of 'rollcall dev'.
type devRun struct {
	p         *process
	listen    string
	account   string
	trail     string
	readyFile string
	maxAge    time.Duration
	providers []string
	hosts     []string
	publicURL string
	console   bool
	log       logFlags
}

func devCommand(p *process) *cobra.Command {
	e := &devRun{p: p}
	c := &cobra.Command{
		Use:     "dev",
		GroupID: "service",
		Short:   "Run an emulator in memory, for tests",
		Long: `Run the service in memory, on this machine only, with one account, for tests and
laptops. It verifies signatures as 'rollcall serve' does. The root user's access
key comes from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment.
Without them the key is test, and its secret is test.

The emulator answers only requests to this machine's names, to the host of
--public-url, and to those of --allow-host, which containers may need. It refuses
requests from web pages of other sites.

Browsers find the console at /console/. The first visit sets the printed password
for root, and creates the user demo, who may do everything.

POST /_rollcall/reset deletes everything except the account and its key. Nothing
is kept when the emulator stops.

` + settingsHelp("listen"),
		Example: `  rollcall dev
  rollcall dev --listen 127.0.0.1:0 --ready-file endpoint.txt
  curl -X POST http://127.0.0.1:8585/_rollcall/reset`,
		RunE: func(cmd *cobra.Command, _ []string) error { return e.run(cmd.Context()) },
	}
	f := c.Flags()
	f.StringVar(&e.listen, "listen", defaultListen, "`address` of the API, on loopback; port 0 picks a free one")
	f.StringVar(&e.account, "account", "000000000000", "`id` of the account")
	f.StringVar(&e.trail, "trail", "off", "where to record every call: a `file`, - for standard output, or off")
	f.StringVar(&e.readyFile, "ready-file", "", "write the endpoint's URL to this `file` once it answers")
	f.DurationVar(&e.maxAge, "report-max-age", 10*time.Second,
		"return an existing report up to this age instead of generating a new one")
	f.StringSliceVar(&e.providers, "web-identity-keys", nil, webIdentityUsage)
	f.StringSliceVar(&e.hosts, "allow-host", nil, "also answer requests to this host `name`; may be repeated")
	f.StringVar(&e.publicURL, "public-url", "", publicURLUsage+" (default the endpoint's URL)")
	f.BoolVar(&e.console, "console", true, consoleUsage)
	settings(f, "listen", "account", "trail", "ready-file", "report-max-age", "web-identity-keys", "allow-host",
		"public-url", "console")
	e.log.add(c)
	return c
}

// wellKnown is the id and the secret of the emulator's access key, if the
// environment has none.
const wellKnown = "test"

// credentials returns the emulator's root key: the one in the environment, or
// else the well-known one.
func (e *devRun) credentials() (id, secret, said string, err error) {
	id, secret = e.p.env("AWS_ACCESS_KEY_ID"), e.p.env("AWS_SECRET_ACCESS_KEY")
	switch {
	case id == "" && secret == "":
		return wellKnown, wellKnown, "AWS_ACCESS_KEY_ID=" + wellKnown + " AWS_SECRET_ACCESS_KEY=" + wellKnown, nil
	case id == "" || secret == "":
		return "", "", "",
			usageError("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together: the environment has only " +
				"one of them")
	case e.p.env("AWS_SESSION_TOKEN") != "":
		return "", "", "",
			usageError("the environment has temporary credentials (AWS_SESSION_TOKEN), which a root user cannot have: " +
				"unset them, or set others")
	}
	return id, secret, "the access key " + id + " of the environment", nil
}

func (e *devRun) run(ctx context.Context) error {
	log, err := e.log.open(e.p)
	if err != nil {
		return err
	}
	service.Ahead()
	go func() { memory.Fit(memory.Granted(os.DirFS("/"))) }() // which nothing waits for
	if e.maxAge <= 0 {
		return usageError("--report-max-age must be more than 0")
	}
	keys, err := sts.ParseWebIdentityKeys(e.providers)
	if err != nil {
		return usageError("--web-identity-keys: %v", err)
	}
	id, secret, said, err := e.credentials()
	if err != nil {
		return err
	}
	spec := identity.AccountSpec{ID: e.account, RootKeyID: id, RootSecret: seal.NewSecret(secret)}
	if err := spec.Check(); err != nil {
		return usageError("%w", err)
	}
	public, err := publicURL(e.publicURL, true)
	if err != nil {
		return err
	}
	l, err := listen("listen", e.listen, nil, false)
	if errors.Is(err, server.ErrPlainHTTP) {
		err = usageError("listen on %s: the emulator listens only on loopback; 'rollcall serve' listens anywhere",
			e.listen)
	}
	if err != nil {
		return err
	}
	endpoint := "http://" + l.Addr().String()
	console := public
	if public == "" {
		public, console = endpoint, localURL(l)
	}
	people := newDevPeople()
	emulator, err := service.OpenEmulator(ctx, service.EmulatorConfig{
		Account: spec, Report: identity.ReportConfig{MaxAge: e.maxAge}, Trail: e.trail,
		WebIdentityKeys: keys, PublicURL: public, Console: e.console, ConsoleURL: console,
		ConsoleHosts: e.hosts, Log: log,
		Visited: people.settle(endpoint, e.account, identity.RootKey{ID: id, Secret: spec.RootSecret}),
	})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	signIn := ""
	if e.console {
		signIn = people.said(console, e.account)
	}
	if err := e.announce(endpoint, said, signIn); err != nil {
		l.Close()
		return errors.Join(err, emulator.Close())
	}
	hosts, err := e.answeredHosts(public)
	if err != nil {
		return errors.Join(err, l.Close(), emulator.Close())
	}
	// The key is well known, and a browser may show pages of other sites.
	local := server.SameOrigin(withReset(emulator), hosts, e.console)
	return errors.Join(server.Serve(ctx, l, local, log, time.Second), emulator.Close())
}

// withReset returns the handler of the emulator and of its reset. It does not
// use http.ServeMux, which would redirect unusual paths.
func withReset(emulator *service.Emulator) http.Handler {
	reset := resetHandler(emulator)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == "/_rollcall/reset" {
			reset(w, r)
			return
		}
		emulator.ServeHTTP(w, r)
	})
}

// answeredHosts returns the host names to answer in addition to this machine's
// own: those of --allow-host, and the one of the public URL.
func (e *devRun) answeredHosts(public string) ([]string, error) {
	u, err := url.Parse(public)
	if err != nil {
		return nil, err
	}
	return append(slices.Clone(e.hosts), u.Hostname()), nil
}

func (e *devRun) announce(endpoint, said, signIn string) error {
	e.p.tell("rollcall: emulator on %s, account %s, in memory\nrollcall: root user: %s\n",
		endpoint, e.account, said)
	// A key from the environment is not printed: the user has it, and logs should
	// not contain it.
	id, secret := wellKnown, wellKnown
	if e.p.env("AWS_ACCESS_KEY_ID") != "" {
		id, secret = "", ""
	}
	e.p.tell("\n%s\n%s", exports(endpoint, id, secret), signIn)
	return writeReady(e.readyFile, endpoint)
}

// resetHandler empties the emulator.
func resetHandler(emulator *service.Emulator) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := emulator.Reset(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

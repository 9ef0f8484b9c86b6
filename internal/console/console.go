// Package console serves the web console: pages for a browser, on the listener of the
// API, below /console/.
//
// It promises:
//
//   - Pages read and change everything through package api as the person who signed in:
//     policies decide, and the trail records it. A denied change is shown disabled, with
//     AWS's sentence.
//   - GET changes nothing. A POST must come from a page of the console, and every request
//     must name a host of the console.
//   - Pages load nothing from other hosts. Their only script is assets/console.js, and
//     only passkeys need it.
//   - The cookie is opaque. Each step of signing in replaces it.
//   - Texts of others (users, paths, tags, descriptions) never become markup: the
//     templates of templ write every page.
//
// # Adding a page
//
// A page is one Go file, one template and one test:
//
//  1. groups.go declares the page and its handlers:
//
//     func (c *Console) groupPages() []page {
//     return []page{{
//     path: "/console/groups", title: "Groups", nav: "groups", get: c.groups,
//     post: posts{"create": c.createGroup},
//     }}
//     }
//
//     and is named in the list of route.go. A page is for those who are signed
//     in, unless it says that it is open. Things are named in the query
//     (?name=alice), since a name may be "..". What a form asks for is in its
//     field "do", which chooses the handler.
//
//  2. A handler calls actions by their methods, and shows or goes elsewhere:
//
//     func (c *Console) groups(v *visit) error {
//     out, err := do(v, c.iam.ListGroups, &iam.ListGroupsInput{Marker: v.text("marker")})
//     if err != nil {
//     return err // a page that says it
//     }
//     return v.show(groupsView{…}.html())
//     }
//
//     After a change: return v.done("/console/groups", "The group is created.").
//     A new secret: return v.secret("The key is created", secretView{…}).
//     may(v, c.iam.DeleteGroup, input) says, without calling it, whether policies
//     allow an action: the denial goes into the button (see component.go).
//
//  3. groups.templ declares the method html of groupsView in the language of templ.
//     The components of component.templ are for its fields, tables, dates and
//     buttons. Go makes their data (component.go), so a template has no logic.
//     go run ./internal/templgen compiles it to groups_templ.go. TestHostileTexts
//     names the view, and fills it with texts that try to become markup.
//
//  4. Every page is visited by TestEveryPage, for its size, its headers and by
//     axe-core, at the address that its test gives (see testpages_test.go), and
//     gets hostile names there. The test leaves pictures of each page, for
//     people to view: go test -run TestEveryPage -artifacts -outputdir DIR.
package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"rollcall/internal/api"
	"rollcall/internal/audit"
	"rollcall/internal/identity"
	"rollcall/internal/organizations"
	"rollcall/internal/principal"
	"rollcall/internal/signin"
	"rollcall/internal/signin/oauth"
	"rollcall/internal/sigv4"
	"rollcall/internal/sts"
	"rollcall/internal/trail"
)

// Config holds the settings of a Console.
type Config struct {
	IAM *identity.Service
	API *api.API
	STS *sts.Service
	// Organizations lists the accounts of the overview of an organization.
	Organizations *organizations.Service
	SignIn        *signin.Service
	Tools         *oauth.Service
	// Audit says how reports are judged. nil means the default benchmark
	// without changes.
	Audit *audit.Config
	// Trail holds the calls of users. Pages show the last ones.
	Trail *trail.Trail
	// URL is the URL at which browsers reach the service. "" means only this
	// machine.
	URL string
	// Hosts are further host names that requests may use.
	Hosts []string
	Now   func() time.Time // nil means time.Now
	Log   *slog.Logger     // nil discards
}

// Console answers requests for pages. It is safe for concurrent use.
type Console struct {
	iam           *identity.Service
	api           *api.API
	sts           *sts.Service
	organizations *organizations.Service
	signIn        *signin.Service
	tools         *oauth.Service
	trail         *trail.Trail
	now           func() time.Time
	log           *slog.Logger

	audit    *audit.Config
	standard *audit.Benchmark // used if the query names none
	shelf    *shelf
	tallies  tallies
	// credentials verifies the credentials of a role that was assumed for a
	// page.
	credentials sigv4.Verifier[principal.Signer]

	url     string // without a path
	secure  bool   // browsers use TLS
	hosts   hosts
	cookies cookies
	origin  *http.CrossOriginProtection
	pages   map[string]*page
	assets  assets
}

// New returns the console.
func New(cfg Config) (*Console, error) {
	c := &Console{
		iam: cfg.IAM, api: cfg.API, sts: cfg.STS, organizations: cfg.Organizations, signIn: cfg.SignIn,
		tools: cfg.Tools, trail: cfg.Trail, now: cfg.Now, log: cfg.Log,
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.credentials = sigv4.Verifier[principal.Signer]{Lookup: cfg.IAM.SigningKey, Now: c.now}
	c.judgeBy(cfg.Audit)
	c.shelf = newShelf(cfg.IAM.Background, shelfLimit)
	at, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	c.secure = at.Scheme == "https"
	if at.Host != "" {
		c.url = at.Scheme + "://" + at.Host
	}
	c.hosts = newHosts(at, cfg.Hosts)
	c.cookies = cookies{secure: c.secure}
	c.origin = http.NewCrossOriginProtection()
	c.assets = newAssets()
	c.pages = c.route()
	return c, nil
}

// Root is the path of the console's first page.
const Root = "/console/"

// Home returns the path of the first page.
func (c *Console) Home() string { return Root }

// Serves says whether a request is for the console and not for the API.
func (c *Console) Serves(r *http.Request) bool {
	switch r.URL.Path {
	case "/console", federationPath, oauth.TokenPath:
		return true
	}
	return c.pages[r.URL.Path] != nil || strings.HasPrefix(r.URL.Path, Root)
}

// Serve answers one request and returns the status. call describes the request.
// trust is called if the request comes from a signed-in person.
func (c *Console) Serve(w http.ResponseWriter, r *http.Request, call api.Call, trust func()) int {
	c.harden(w.Header())
	if r.URL.Path == oauth.TokenPath {
		return c.serveToken(w, r, call, trust)
	}
	v := &visit{Console: c, w: w, r: r, call: call, trust: trust, status: http.StatusOK}
	v.call.Console = true
	var err error
	if refused := c.refuseForeign(r); refused != nil {
		err = refused
	} else {
		err = c.answer(v)
	}
	if err != nil {
		v.fail(err)
	}
	return v.status
}

// write sends a page.
func (v *visit) write(kind string, body *bytes.Buffer) error {
	h := v.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", fmt.Sprint(body.Len()))
	v.w.WriteHeader(v.status)
	if v.r.Method == http.MethodHead {
		return nil
	}
	if _, err := v.w.Write(body.Bytes()); err != nil {
		v.log.DebugContext(v.r.Context(), "page not delivered", "error", err)
	}
	return nil
}

// writeJSON sends an answer to the script.
func (v *visit) writeJSON(out any) error {
	text, err := json.Marshal(out)
	if err != nil {
		return err
	}
	return v.write("application/json", bytes.NewBuffer(text))
}

// Package server is the edge: it turns an HTTP request into a verified call
// of an action, and the outcome into bytes.
//
// Its one handler reads at most 1 MiB, finds out who signed, which action is
// meant and with what input, and hands over to the funnel in package api. It
// promises that nothing gets past it unauthenticated, that a client which
// reads or writes slowly holds no more than its own connection, and that every
// answer to the API is AWS-shaped. It refuses to know what the actions do.
package server

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"rollcall/internal/api"
	"rollcall/internal/awsmodel"
	"rollcall/internal/awsquery"
	"rollcall/internal/principal"
	"rollcall/internal/sigv4"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// Config is what a Server is made of.
type Config struct {
	API *api.API
	// Lookup finds access keys; see sigv4.Verifier.
	Lookup func(ctx context.Context, accessKeyID, sessionToken string) ([]byte, principal.Signer, error)
	// Used is told of every call that was accepted as authentic and made with
	// a long-term key.
	Used func(keyID string, use store.LastUsed)
	// Regions the signatures may be scoped to; empty means any one.
	Regions []string
	// Rate and Burst bound the calls per second of one principal with all its
	// keys and sessions; 0 is no bound.
	Rate  float64
	Burst int
	// AccountRate and AccountBurst bound those of one account.
	AccountRate  float64
	AccountBurst int
	// StrangerRate and StrangerBurst bound the requests per second from one
	// address that cannot be verified.
	StrangerRate  float64
	StrangerBurst int
	// CallTimeout is how long a call may take once its request is read; 0
	// means DefaultCallTimeout.
	CallTimeout time.Duration
	// Now is the clock; nil means time.Now.
	Now     func() time.Time
	Log     *slog.Logger // nil discards
	Metrics *Metrics     // nil counts nothing
	// Documentation is where a browser that opens the API is sent.
	Documentation string
}

// DefaultCallTimeout is shorter than what the AWS SDKs wait for an answer, so
// that their users read an error of this service.
const DefaultCallTimeout = 10 * time.Second

// Server is the handler of the API.
type Server struct {
	cfg      Config
	verifier *sigv4.Verifier[principal.Signer]
	limiter  *limiter // of principals
	accounts *limiter
	// strangers are addresses that requests came from which were refused.
	strangers *limiter
}

// New returns the handler.
func New(cfg Config) *Server {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.CallTimeout <= 0 {
		cfg.CallTimeout = DefaultCallTimeout
	}
	if cfg.Documentation == "" {
		cfg.Documentation = "https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html"
	}
	return &Server{
		cfg: cfg,
		verifier: &sigv4.Verifier[principal.Signer]{
			Lookup: cfg.Lookup, Now: cfg.Now, Services: []string{"iam", "sts"}, Regions: cfg.Regions,
		},
		limiter:   newLimiter(cfg.Rate, cfg.Burst, cfg.Now),
		accounts:  newLimiter(cfg.AccountRate, cfg.AccountBurst, cfg.Now),
		strangers: newLimiter(cfg.StrangerRate, cfg.StrangerBurst, cfg.Now),
	}
}

// call is one request on its way through the edge.
type call struct {
	api.Call
	service, action string // what the client asked for; "iam" until known
	caller          *principal.Caller
	keyID           string // as the client claims it
	retryAfter      time.Duration
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := s.cfg.Now()
	id := uuid.NewString()
	header := w.Header()
	header["X-Amzn-Requestid"] = []string{id}
	// Clients correct their clocks by ours: the one that signatures are held
	// against.
	header["Date"] = []string{start.UTC().Format(http.TimeFormat)}
	if s.notForUs(w, r) {
		return
	}
	r, over := whileConnected(r)
	defer over()
	k := &call{Call: describe(r, id), service: "iam", action: "Unknown"}
	done := s.cfg.Metrics.begin()
	status := http.StatusInternalServerError // unless there is an answer
	defer func() { done(k.action, status, s.cfg.Now().Sub(start)) }()
	response, err := s.respond(w, r, k)
	if err != nil {
		refused := s.cfg.API.Refuse(r.Context(), k.caller, k.keyID, k.service, k.action, err, k.Call)
		response = s.refuse(w, k, refused)
	}
	header["Content-Type"] = []string{awsquery.ContentType}
	header["Content-Length"] = []string{strconv.FormatInt(response.Len(), 10)}
	status = response.Status
	w.WriteHeader(status)
	s.send(r.Context(), w, response, k)
}

// respond is the life of a call. An error is one that came before there was
// an action to record it.
func (s *Server) respond(w http.ResponseWriter, r *http.Request, k *call) (*awsquery.Response, error) {
	body, err := s.readBody(w, r)
	if err != nil {
		k.claim(r)
		return nil, s.refusedStranger(k, err)
	}
	r, cancel := s.inTime(r)
	defer cancel()
	verified, err := s.verifier.Verify(r, body)
	if err != nil {
		if response, ok, refused := s.unsigned(w, r, body, k, err); ok {
			return response, refused
		}
		k.claim(r)
		return nil, s.refusedStranger(k, err)
	}
	caller := principal.Signed(verified)
	k.caller = &caller
	connOf(r.Context()).trust()
	if caller.Session() == nil {
		s.cfg.Used(caller.AccessKeyID(), store.LastUsed{At: s.cfg.Now(), Region: caller.Region(), Service: caller.Service()})
	}
	if err := s.limit(caller, k); err != nil {
		return nil, err
	}
	action, in, err := s.decode(r, body, k)
	if err != nil {
		return nil, err
	}
	return s.invoke(w, r, action, in, k)
}

// inTime gives a request the service's own deadline.
func (s *Server) inTime(r *http.Request) (*http.Request, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.CallTimeout)
	return r.WithContext(ctx), cancel
}

// invoke runs the action, by the caller if one is known.
func (s *Server) invoke(w http.ResponseWriter, r *http.Request, action api.Action, in any, k *call) (*awsquery.Response, error) {
	var out any
	var refused *awsmodel.Error
	if action.Unsigned != nil {
		out, refused = s.cfg.API.InvokeUnsigned(r.Context(), action, in, k.Call)
	} else {
		out, refused = s.cfg.API.Invoke(r.Context(), *k.caller, action, in, k.Call)
	}
	if refused != nil {
		return s.refuse(w, k, refused), nil
	}
	return action.Encode(out, k.RequestID)
}

// versions are the values of Version, which name the service.
var versions = map[string]string{"2010-05-08": "iam", "2011-06-15": "sts"}

// decode finds the action and its input. Parameters of a POST may stand in
// its query string too, but none in both: what was signed, what is dispatched
// and what is acted upon are the same bytes.
func (s *Server) decode(r *http.Request, body []byte, k *call) (api.Action, any, error) {
	raw := string(body)
	switch {
	case r.Method == http.MethodGet:
		raw = r.URL.RawQuery
	case r.URL.RawQuery != "":
		raw += "&" + r.URL.RawQuery
	}
	form, refused := awsquery.ParseForm(raw)
	if refused != nil {
		return api.Action{}, nil, refused
	}
	version := form.Version()
	service, known := versions[version]
	if known {
		k.service = service
	}
	action, found := s.cfg.API.Find(service, form.Action())
	if !found {
		if version == "" {
			version = "NO_VERSION_SPECIFIED"
		}
		return action, nil, invalidAction(form.Action(), version)
	}
	k.action = action.Name
	if k.caller != nil && k.caller.Service() != service {
		return action, nil, awsmodel.Fail("SignatureDoesNotMatch", "Credential should be scoped to correct service: '%s'.", service)
	}
	in := action.NewInput()
	if refused := action.Decode(form, in); refused != nil {
		return action, nil, refused
	}
	return action, in, nil
}

// invalidAction also says so when the action is AWS's but not served here.
func invalidAction(action, version string) error {
	text := "Could not find operation " + printable(action) + " for version " + printable(version)
	if op, ok := awsmodel.Lookup(action); ok && op.Service.Version == version {
		text += ": Rollcall does not serve it"
	}
	return &awsmodel.Error{Code: "InvalidAction", Message: text}
}

// printable bounds what a client's word may do to an error text.
func printable(s string) string {
	const most = 128
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "?")
}

func (s *Server) refuse(w http.ResponseWriter, k *call, err *awsmodel.Error) *awsquery.Response {
	if k.retryAfter > 0 {
		// The AWS SDKs wait as long as this header says, in milliseconds.
		w.Header().Set("X-Amz-Retry-After", strconv.FormatInt(k.retryAfter.Milliseconds()+1, 10))
	}
	if err.Encoded != "" {
		w.Header().Set("X-Rollcall-Authorization-Message", err.Encoded)
	}
	s.cfg.Metrics.refused(err.Code)
	return awsquery.EncodeError(k.service, err, k.RequestID)
}

// send writes the answer. One that cannot be finished breaks the connection,
// so that no client takes half an answer for a whole one.
func (s *Server) send(ctx context.Context, w http.ResponseWriter, response *awsquery.Response, k *call) {
	to := &answerWriter{w: w}
	if _, err := response.WriteTo(to); err != nil {
		level := slog.LevelError
		if to.left || ctx.Err() != nil {
			level = slog.LevelDebug // a client that left is nobody's error
		}
		s.cfg.Log.Log(ctx, level, "answer not delivered", "error", err, "requestID", k.RequestID, "action", k.action)
		panic(http.ErrAbortHandler)
	}
}

// answerWriter notes whether it was the client that took no more.
type answerWriter struct {
	w    io.Writer
	left bool
}

func (a *answerWriter) Write(b []byte) (int, error) {
	n, err := a.w.Write(b)
	a.left = err != nil
	return n, err
}

// describe is what the trail says of the request itself. Only the peer's own
// address is believed; headers that claim another are not.
func describe(r *http.Request, id string) api.Call {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	c := api.Call{RequestID: id, SourceIP: host, UserAgent: r.UserAgent()}
	if r.TLS != nil {
		c.TLS = &trail.TLSDetails{Version: tlsVersion(r.TLS.Version), CipherSuite: tlsCipher(r.TLS.CipherSuite), HostHeader: r.Host}
	}
	return c
}

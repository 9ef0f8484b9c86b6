// Package server is the HTTP edge. It turns an HTTP request into a verified
// call of an action, and the result into bytes.
//
// Its one handler reads at most 1 MiB, finds the signer, the action and its
// input, and passes them to package api. No unauthenticated request gets past
// it. A client that reads or writes slowly holds only its own connection. Every
// answer of the API has AWS's form. The package does not know what the actions
// do.
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
	"rollcall/internal/throttle"
	"rollcall/internal/trail"
)

// Config holds the parts and the settings of a Server.
type Config struct {
	API *api.API
	// Lookup finds access keys; see sigv4.Verifier.
	Lookup func(ctx context.Context, accessKeyID, sessionToken string) ([]byte, principal.Signer, error)
	// Used is called for every authentic call with a long-term key.
	Used func(keyID string, use store.LastUsed)
	// Regions are the regions that signatures may be scoped to; empty means
	// any.
	Regions []string
	// StrangerRate and StrangerBurst limit the unverified requests per second
	// from one address.
	StrangerRate  float64
	StrangerBurst int
	// CallTimeout is the maximum time of a call after its request has been
	// read; 0 means DefaultCallTimeout.
	CallTimeout time.Duration
	// Now is the clock; nil means time.Now.
	Now     func() time.Time
	Log     *slog.Logger // nil discards
	Metrics *Metrics     // nil counts nothing
	// Documentation is the address to which a browser that opens the API is
	// redirected.
	Documentation string
	// Public returns the public document at a path, or nil. It is called only
	// for paths that contain .well-known. If Public is nil, there are no
	// documents.
	Public func(ctx context.Context, path string) ([]byte, error)
	// PublicAge is the time for which such a document may be cached.
	PublicAge time.Duration
	// Pages answers browsers; nil if there are no pages.
	Pages Pages
}

// Pages serves pages for people, next to the API.
type Pages interface {
	// Serves says whether a request is for a page.
	Serves(r *http.Request) bool
	// Serve answers a request and returns the status. It calls trust if the
	// request comes from a signed-in person.
	Serve(w http.ResponseWriter, r *http.Request, call api.Call, trust func()) int
	// Home returns the path of the first page.
	Home() string
}

// DefaultCallTimeout is shorter than the time for which the AWS SDKs wait for
// an answer, so that their users get an error of this service.
const DefaultCallTimeout = 10 * time.Second

// Server is the handler of the API.
type Server struct {
	cfg      Config
	verifier *sigv4.Verifier[principal.Signer]
	// strangers are addresses that refused requests came from.
	strangers *throttle.Limiter
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
			Lookup: cfg.Lookup, Now: cfg.Now, Services: []string{"iam", "sts", "organizations"}, Regions: cfg.Regions,
		},
		strangers: throttle.New(cfg.StrangerRate, cfg.StrangerBurst, cfg.Now),
	}
}

// call is one request in progress.
type call struct {
	api.Call
	service, action string // the service that the client asked for; "iam" until known
	caller          *principal.Caller
	keyID           string // unverified
	retryAfter      time.Duration
	refusal         *awsmodel.Error // the error of the answer, nil for none
	acceptsJSON     bool            // the client prefers JSON to XML
	// json11 says that the request and its answer are in the AWS JSON 1.1 protocol.
	json11 bool
}

// inJSON reports whether the answer is JSON. Only answers of STS can be
// (recorded-2026 R4.6).
func (k *call) inJSON() bool { return k.acceptsJSON && k.service == "sts" }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := s.cfg.Now()
	id := uuid.NewString()
	header := w.Header()
	header["X-Amzn-Requestid"] = []string{id}
	// Clients correct their clocks by this one, with which signatures are
	// checked.
	header["Date"] = []string{start.UTC().Format(http.TimeFormat)}
	if s.page(w, r, id) || s.notForUs(w, r) {
		return
	}
	r, over := whileConnected(r, id)
	defer over()
	k := &call{Call: describe(r, id), service: "iam", action: "Unknown", acceptsJSON: acceptsJSON(r.Header)}
	if k.json11 = isJSON11(r); k.json11 {
		k.service = "organizations"
	}
	done := s.cfg.Metrics.begin()
	status := http.StatusInternalServerError // unless there is an answer
	defer func() { done(k.action, outcome(status, k.refusal), s.cfg.Now().Sub(start)) }()
	response, err := s.respond(w, r, k)
	if err != nil {
		refused := s.cfg.API.Refuse(r.Context(), k.caller, k.keyID, k.service, k.action, err, k.Call)
		response = s.refuse(w, k, refused)
	}
	header["Content-Type"] = []string{response.ContentType}
	header["Content-Length"] = []string{strconv.FormatInt(response.Len(), 10)}
	status = response.Status
	w.WriteHeader(status)
	s.send(r.Context(), w, response, k)
}

// respond processes a call. It returns an error if the call ended before there
// was an action to record.
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
	if !k.json11 {
		k.service = caller.Service() // until the form has been read
	}
	connOf(r.Context()).trust()
	if caller.Session() == nil {
		s.cfg.Used(caller.AccessKeyID(),
			store.LastUsed{At: s.cfg.Now(), Region: caller.Region(), Service: caller.Service()})
	}
	if err := k.throttled(s.cfg.API.Admit(caller)); err != nil {
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

// invoke runs the action for the caller, if one is known.
func (s *Server) invoke(
	w http.ResponseWriter, r *http.Request, action api.Action, in any, k *call,
) (*awsquery.Response, error) {
	out, refused := s.cfg.API.Invoke(r.Context(), k.caller, action, in, k.Call)
	if refused != nil {
		return s.refuse(w, k, refused), nil
	}
	switch {
	case k.json11:
		return action.EncodeJSON11(out)
	case k.inJSON():
		return action.EncodeJSON(out, k.RequestID)
	}
	return action.Encode(out, k.RequestID)
}

func (s *Server) refuse(w http.ResponseWriter, k *call, err *awsmodel.Error) *awsquery.Response {
	if k.retryAfter > 0 {
		// The AWS SDKs wait for the number of milliseconds in this header.
		w.Header().Set("X-Amz-Retry-After", strconv.FormatInt(k.retryAfter.Milliseconds()+1, 10))
	}
	if err.Encoded != "" {
		w.Header().Set("X-Rollcall-Authorization-Message", err.Encoded)
	}
	k.refusal = err
	s.cfg.Metrics.refused(err.Code)
	switch {
	case k.json11:
		response, name := awsquery.EncodeErrorJSON11(err)
		w.Header().Set("X-Amzn-Errortype", name)
		return response
	case k.inJSON():
		return awsquery.EncodeErrorJSON(err, k.RequestID)
	}
	return awsquery.EncodeError(k.service, err, k.RequestID)
}

// send writes the answer. If it cannot finish, it breaks the connection, so
// that no client mistakes half an answer for a whole one.
func (s *Server) send(ctx context.Context, w http.ResponseWriter, response *awsquery.Response, k *call) {
	to := &answerWriter{w: w}
	if _, err := response.WriteTo(to); err != nil {
		level := slog.LevelError
		if to.left || ctx.Err() != nil {
			level = slog.LevelDebug // a client that left is not an error
		}
		s.cfg.Log.Log(ctx, level, "answer not delivered", "error", err, "action", k.action)
		panic(http.ErrAbortHandler)
	}
}

// answerWriter notes whether the client stopped reading.
type answerWriter struct {
	w    io.Writer
	left bool
}

func (a *answerWriter) Write(b []byte) (int, error) {
	n, err := a.w.Write(b)
	a.left = err != nil
	return n, err
}

// describe returns the facts about a request for the trail. It uses only the
// peer's own address, and no headers that claim another one.
func describe(r *http.Request, id string) api.Call {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	host, _, _ = strings.Cut(host, "%") // conditions have no zones
	c := api.Call{RequestID: id, SourceIP: host, UserAgent: r.UserAgent()}
	if r.TLS != nil {
		c.TLS = &trail.TLSDetails{Version: tlsVersion(r.TLS.Version), CipherSuite: tlsCipher(r.TLS.CipherSuite),
			HostHeader: r.Host}
	}
	return c
}

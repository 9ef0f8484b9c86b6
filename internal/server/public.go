package server

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/requestid"
)

// wellKnown is part of the path of every public document (RFC 8615).
const wellKnown = "/.well-known/"

// public answers a request for a public document. The request needs no
// signature, and the document contains only public facts. Each request takes a
// token of its address. It leaves no record in the trail, because it calls no
// action.
func (s *Server) public(w http.ResponseWriter, r *http.Request) bool {
	if s.cfg.Public == nil || !strings.Contains(r.URL.Path, wellKnown) {
		return false
	}
	start, done, status := s.cfg.Now(), s.cfg.Metrics.begin(), http.StatusOK
	defer func() { done("PublicDocument", outcome(status, nil), s.cfg.Now().Sub(start)) }()
	if wait, ok := s.strangers.Allow(networkOf(describe(r, "").SourceIP)); !ok {
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		http.Error(w, "Rate exceeded", status)
		return true
	}
	timed, cancel := s.inTime(r)
	defer cancel()
	document, err := s.cfg.Public(timed.Context(), r.URL.Path)
	switch {
	case err != nil:
		status = http.StatusServiceUnavailable
		s.cfg.Log.WarnContext(requestid.With(r.Context(), w.Header().Get("X-Amzn-Requestid")),
			"public document not read", "error", err)
		http.Error(w, "The document cannot be read for the moment.", status)
	case document == nil:
		status = http.StatusNotFound
		unknownPath(w)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(s.cfg.PublicAge/time.Second)))
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(document))
	}
	return true
}

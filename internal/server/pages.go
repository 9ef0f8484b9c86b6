package server

import (
	"io"
	"net/http"
)

// maxForm is the largest form of a page: a policy, or a certificate with its
// chain, with every character escaped.
const maxForm = 192 << 10

// page answers a request for a page of the console. The connection of a
// signed-in person counts like that of a caller with a verified signature.
func (s *Server) page(w http.ResponseWriter, r *http.Request, id string) bool {
	if s.cfg.Pages == nil {
		return false
	}
	if home := s.cfg.Pages.Home(); r.URL.Path == "/" && r.URL.RawQuery == "" &&
		(r.Method == http.MethodGet || r.Method == http.MethodHead) {
		w.Header().Set("Location", home)
		w.WriteHeader(http.StatusFound)
		return true
	}
	if !s.cfg.Pages.Serves(r) {
		return false
	}
	start, done, status := s.cfg.Now(), s.cfg.Metrics.begin(), http.StatusInternalServerError
	defer func() { done("ConsolePage", outcome(status, nil), s.cfg.Now().Sub(start)) }()
	r, over := whileConnected(r, id)
	defer over()
	r, cancel := s.inTime(r)
	defer cancel()
	c := connOf(r.Context())
	r.Body = &formBody{from: http.MaxBytesReader(w, r.Body, maxForm), conn: c}
	status = s.cfg.Pages.Serve(w, r, describe(r, id), func() { c.trust() })
	return true
}

// formBody draws on the memory for requests while it is read.
type formBody struct {
	from io.ReadCloser
	conn *conn
	read int
}

func (b *formBody) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if b.read += n; b.read > freeBody && b.conn != nil &&
		!b.conn.draw(b.conn.provenOr(&b.conn.g.strange), int64(n)*bodyCost) {
		return n, errCrowded
	}
	return n, err
}

func (b *formBody) Close() error { return b.from.Close() }

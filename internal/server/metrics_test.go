package server_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"rollcall/internal/api"
	"rollcall/internal/principal"
	"rollcall/internal/server"
	"rollcall/internal/sigv4"
	"rollcall/internal/trail"
)

// Calls are counted even if their answer cannot be delivered.
func TestMetrics(t *testing.T) {
	none, err := trail.Open("off")
	if err != nil {
		t.Fatal(err)
	}
	figures := metrics.NewSet()
	h := server.New(server.Config{
		API: api.New(nil, nil, none, slog.New(slog.DiscardHandler), time.Now),
		Lookup: func(context.Context, string, string) ([]byte, principal.Signer, error) {
			return nil, principal.Signer{}, sigv4.ErrUnknownKey
		},
		Metrics: server.NewMetrics(figures),
	})
	for _, w := range []http.ResponseWriter{httptest.NewRecorder(), deaf{httptest.NewRecorder()}} {
		func() {
			defer func() { recover() }()
			h.ServeHTTP(w, httptest.NewRequest("GET", "/?Action=ListUsers&Version=2010-05-08", nil))
		}()
	}
	w := httptest.NewRecorder()
	server.Admin(nil, figures, slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		`rollcall_errors_total{code="MissingAuthenticationToken"} 2`,
		`rollcall_request_duration_seconds_count{action="Unknown",outcome="denied"} 2`,
		`rollcall_requests_in_flight 0`,
	} {
		if !strings.Contains(w.Body.String(), want+"\n") {
			t.Errorf("no line %s in\n%s", want, w.Body)
		}
	}
}

// deaf is a client that reads no answer.
type deaf struct{ *httptest.ResponseRecorder }

func (deaf) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

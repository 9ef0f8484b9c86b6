package server_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metrics"

	"rollcall/internal/server"
)

func TestAdmin(t *testing.T) {
	var trailErr error
	checks := []server.Check{
		{Name: "store", Run: func(ctx context.Context) error { return ctx.Err() }},
		{Name: "trail", Run: func(context.Context) error { return trailErr }},
	}
	figures := metrics.NewSet()
	server.NewMetrics(figures)
	var log strings.Builder
	h := server.Admin(checks, figures, slog.New(slog.NewTextHandler(&log, nil)))
	get := func(method, path string) (int, string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		return w.Code, w.Body.String()
	}
	want := func(method, path string, status int, body string) {
		t.Helper()
		code, text := get(method, path)
		if code != status || !strings.Contains(text, body) {
			t.Errorf("%s %s: %d %q, want %d %q", method, path, code, text, status, body)
		}
	}
	want("GET", "/healthz", 200, "ok\n")
	want("GET", "/readyz", 200, "store: ok\ntrail: ok\n")
	want("GET", "/metrics", 200, "rollcall_requests_in_flight 0")
	want("POST", "/healthz", 405, "")
	want("GET", "/debug/pprof/", 404, "")

	trailErr = errors.New("no space left on device")
	want("GET", "/healthz", 200, "ok\n")
	want("GET", "/readyz", 503, "store: ok\ntrail: failed: no space left on device\n")
	if !strings.Contains(log.String(), "no space left on device") {
		t.Errorf("the reason is not in the log: %q", log.String())
	}
}

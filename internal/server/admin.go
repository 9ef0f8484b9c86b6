package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// Check is a thing that must work for the service to be ready.
type Check struct {
	Name string
	Run  func(context.Context) error
}

// checkTimeout limits the time of a check. A check that takes longer has
// failed.
const checkTimeout = 2 * time.Second

// Admin returns the handler of the admin listener. The listener serves the
// machines that watch the service, and never its clients:
//
//	/healthz  200 while the process answers
//	/readyz   200 while every check passes, else 503; one line per check, with
//	          the reason of one that fails
//	/metrics  in Prometheus's format
//
// It reveals no secret and changes nothing. The reason of a failed check goes
// to log.
func Admin(checks []Check, figures *metrics.Set, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
		defer cancel()
		status, text := http.StatusOK, ""
		for _, c := range checks {
			outcome := "ok"
			if err := c.Run(ctx); err != nil {
				log.Warn("not ready", "check", c.Name, "error", err)
				status = http.StatusServiceUnavailable
				outcome = "failed: " + strings.Join(strings.Fields(err.Error()), " ")
			}
			text += fmt.Sprintf("%s: %s\n", c.Name, outcome)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		figures.WritePrometheus(w)
	})
	return http.TimeoutHandler(mux, 10*time.Second, "timed out\n")
}

package doctor_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metrics"

	"rollcall/internal/doctor"
	"rollcall/internal/server"
	"rollcall/internal/service"
)

// serve answers on an address of its own until the end of the test.
func serve(t *testing.T, h http.Handler) (address string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// admin returns the handler of an admin listener whose only check has a result,
// and whose process may open a number of files.
func admin(failed error, files string) http.Handler {
	figures := metrics.NewSet()
	figures.NewGauge("process_open_fds", func() float64 { return 95 })
	if files == "100" {
		figures.NewGauge("process_max_fds", func() float64 { return 100 })
	} else {
		figures.NewGauge("process_max_fds", func() float64 { return 1000 })
	}
	checks := []server.Check{{Name: "store", Run: func(context.Context) error { return nil }},
		{Name: "trail", Run: func(context.Context) error { return failed }}}
	return server.Admin(checks, figures, slog.New(slog.DiscardHandler))
}

func TestService(t *testing.T) {
	t.Parallel()
	c := installation(t, sqlite)
	start(t, c, func(s *service.Service) {
		c.Listen = serve(t, s.Handler)
		c.Admin = serve(t, admin(errors.New("the disk is full"), "2000"))
		found := doctor.Examine(t.Context(), c)
		if text := findingsOf(found, "service"); text != "the service is not ready: trail: failed: the disk is full" {
			t.Error(text)
		}
		c.Admin = serve(t, admin(nil, "100"))
		expect(t, c, "descriptors", doctor.Fault, "the service has 95 files open and may open 100")
		c.Admin = serve(t, admin(nil, "1000"))
		expect(t, c, "descriptors", doctor.Warning, "the service has 95 files open and may open 1000")
		c.Admin = "off"
		expect(t, c, "service", doctor.Warning, "whether it is ready is unknown")
		c.Admin = "127.0.0.1:1"
		expect(t, c, "service", doctor.Fault, "and nothing on 127.0.0.1:1")
	})
}

func findingsOf(all []doctor.Finding, check string) string {
	var texts []string
	for _, f := range all {
		if f.Check == check {
			texts = append(texts, f.Found)
		}
	}
	return strings.Join(texts, "; ")
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	other := serve(t, http.NotFoundHandler())
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { silent.Close() })
	try(t, map[string]breakage{
		"another program": {func(_ *testing.T, c *doctor.Config) { c.Listen = other },
			"service", doctor.Fault, "another program listens on " + other},
		"a silent program": {func(_ *testing.T, c *doctor.Config) { c.Listen = silent.Addr().String() },
			"service", doctor.Fault, "another program listens on "},
		"another program as admin": {func(_ *testing.T, c *doctor.Config) { c.Admin = other },
			"service", doctor.Fault, "another program listens on " + other},
		"no address of this machine": {func(_ *testing.T, c *doctor.Config) { c.Listen = "192.0.2.1:8585" },
			"service", doctor.Fault, "cannot assign requested address"},
		"no address": {func(_ *testing.T, c *doctor.Config) { c.Listen = "nonsense" },
			"service", doctor.Fault, "missing port in address"},
	})
}

package server

import (
	"strconv"
	"time"

	"rollcall/internal/metrics"
)

// Metrics counts the calls of the API. A nil Metrics counts nothing.
type Metrics struct {
	inFlight *metrics.Gauge
	seconds  *metrics.Histograms
	errors   *metrics.Counters
}

// NewMetrics registers the metrics of the API.
func NewMetrics(r *metrics.Registry) *Metrics {
	return &Metrics{
		inFlight: r.Gauge("rollcall_requests_in_flight", "Calls being answered."),
		seconds: r.Histograms("rollcall_request_duration_seconds", "Time to answer, by action and HTTP status.",
			[2]string{"action", "status"}, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10),
		errors: r.Counters("rollcall_errors_total", "Refused and failed calls, by error code.", "code"),
	}
}

// begin counts the start of a call; the function that it returns counts the
// end.
func (m *Metrics) begin() func(action string, status int, took time.Duration) {
	if m == nil {
		return func(string, int, time.Duration) {}
	}
	m.inFlight.Add(1)
	return func(action string, status int, took time.Duration) {
		m.inFlight.Add(-1)
		m.seconds.Observe(action, strconv.Itoa(status), took.Seconds())
	}
}

func (m *Metrics) refused(code string) {
	if m != nil {
		m.errors.Add(code)
	}
}

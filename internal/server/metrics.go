package server

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts the calls of the API. A nil Metrics counts nothing.
type Metrics struct {
	inFlight prometheus.Gauge
	seconds  *prometheus.HistogramVec
	errors   *prometheus.CounterVec
}

// NewMetrics registers the metrics of the API.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rollcall_requests_in_flight", Help: "Calls being answered.",
		}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rollcall_request_duration_seconds", Help: "Time to answer, by action and HTTP status.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"action", "status"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rollcall_errors_total", Help: "Refused and failed calls, by error code.",
		}, []string{"code"}),
	}
	r.MustRegister(m.inFlight, m.seconds, m.errors)
	return m
}

// begin counts the start of a call; the function that it returns counts the
// end.
func (m *Metrics) begin() func(action string, status int, took time.Duration) {
	if m == nil {
		return func(string, int, time.Duration) {}
	}
	m.inFlight.Inc()
	return func(action string, status int, took time.Duration) {
		m.inFlight.Dec()
		m.seconds.WithLabelValues(action, strconv.Itoa(status)).Observe(took.Seconds())
	}
}

func (m *Metrics) refused(code string) {
	if m != nil {
		m.errors.WithLabelValues(code).Inc()
	}
}

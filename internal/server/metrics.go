package server

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// Metrics counts the calls of the API. A nil Metrics counts nothing.
type Metrics struct {
	set      *metrics.Set
	inFlight atomic.Int64
}

// NewMetrics registers the metrics of the API.
func NewMetrics(set *metrics.Set) *Metrics {
	m := &Metrics{set: set}
	set.NewGauge("rollcall_requests_in_flight", func() float64 { return float64(m.inFlight.Load()) })
	return m
}

// durations are the bounds of the histogram, in seconds.
var durations = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}

// begin counts the start of a call. The returned function counts the end.
func (m *Metrics) begin() func(action string, status int, took time.Duration) {
	if m == nil {
		return func(string, int, time.Duration) {}
	}
	m.inFlight.Add(1)
	return func(action string, status int, took time.Duration) {
		m.inFlight.Add(-1)
		name := `rollcall_request_duration_seconds{action="` + action + `",status="` + strconv.Itoa(status) + `"}`
		m.set.GetOrCreatePrometheusHistogramExt(name, durations).Update(took.Seconds())
	}
}

func (m *Metrics) refused(code string) {
	if m != nil {
		m.set.GetOrCreateCounter(fmt.Sprintf("rollcall_errors_total{code=%q}", code)).Inc()
	}
}

package server

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"rollcall/internal/api"
	"rollcall/internal/awsmodel"
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
func (m *Metrics) begin() func(action, outcome string, took time.Duration) {
	if m == nil {
		return func(string, string, time.Duration) {}
	}
	m.inFlight.Add(1)
	return func(action, outcome string, took time.Duration) {
		m.inFlight.Add(-1)
		name := `rollcall_request_duration_seconds{action="` + action + `",outcome="` + outcome + `"}`
		m.set.GetOrCreatePrometheusHistogramExt(name, durations).Update(took.Seconds())
	}
}

// outcome returns the kind of an answer, one of six, so that an action has few
// time series whatever its clients do. refusal is the error of an answer, nil for
// none. Its own status counts: the JSON protocol answers 400 instead of 403.
func outcome(status int, refusal *awsmodel.Error) string {
	code := ""
	if refusal != nil {
		code, status = refusal.Code, refusal.Status()
	}
	switch {
	case code == api.ErrThrottled.Code, status == http.StatusTooManyRequests:
		return "throttled"
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return "denied"
	case code == "ClientDisconnected": // 499
		return "left"
	case status >= http.StatusInternalServerError:
		return "failed"
	case status >= http.StatusBadRequest:
		return "refused"
	}
	return "ok"
}

func (m *Metrics) refused(code string) {
	if m != nil {
		m.set.GetOrCreateCounter(fmt.Sprintf("rollcall_errors_total{code=%q}", code)).Inc()
	}
}

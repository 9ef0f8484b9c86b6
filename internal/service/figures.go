package service

import (
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// figures registers what operators watch besides the calls.
func (s *Service) figures(set *metrics.Set) {
	for name, value := range map[string]func() float64{
		"rollcall_trail_failed":                func() float64 { return number(s.trail.Stats().Failed) },
		"rollcall_trail_records_waiting":       func() float64 { return float64(s.trail.Stats().Waiting) },
		"rollcall_trail_records_kept":          func() float64 { return float64(s.trail.Stats().Kept) },
		"rollcall_trail_records_lost":          func() float64 { return float64(s.trail.Stats().Lost) },
		"rollcall_store_changes_waiting":       func() float64 { return float64(s.db.Stats().Queued) },
		"rollcall_store_longest_queue":         func() float64 { return float64(s.db.Stats().Longest) },
		"rollcall_callers_remembered":          func() float64 { return float64(s.db.Stats().Remembered) },
		"rollcall_callers_read":                func() float64 { return float64(s.db.Stats().Read) },
		"rollcall_last_used_pending":           func() float64 { return float64(s.db.Stats().PendingUses) },
		"rollcall_last_used_flush_age_seconds": func() float64 { return time.Since(s.db.Stats().Flushed).Seconds() },
		"rollcall_report_jobs":                 func() float64 { return float64(s.IAM.ReportJobs()) },
		"rollcall_password_hashes_running": func() float64 {
			running, _ := s.SignIn.Hashing()
			return float64(running)
		},
		"rollcall_password_hashes_waiting": func() float64 {
			_, waiting := s.SignIn.Hashing()
			return float64(waiting)
		},
	} {
		set.NewGauge(name, value)
	}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

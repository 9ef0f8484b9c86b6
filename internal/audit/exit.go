package audit

// The exit codes of an audit. A run that is both incomplete and has findings
// is incomplete: what was not seen may be worse.
const (
	ExitClean      = 0
	ExitFindings   = 1
	ExitIncomplete = 2
)

// ExitPolicy says which outcomes an exit code shall tell of. The zero
// ExitPolicy counts every FAIL.
type ExitPolicy struct {
	// FailOn is the least severity that counts.
	FailOn Severity
	// Warnings makes WARN count as FAIL does.
	Warnings bool
	// RequireFresh makes a stale report an incomplete one.
	RequireFresh bool
}

// ExitCode returns the exit code for the outcome of a run. What an exception
// excuses does not count; MANUAL never does. A run without any account is
// incomplete.
func ExitCode(s *Summary, p ExitPolicy) int {
	if len(s.Accounts) == 0 {
		return ExitIncomplete
	}
	for _, a := range s.Accounts {
		if a.Incomplete() || p.RequireFresh && a.Stale {
			return ExitIncomplete
		}
	}
	for severity := p.FailOn; severity < NumSeverities; severity++ {
		n := s.Counts.Severities[severity]
		if n[Fail] > 0 || p.Warnings && n[Warn] > 0 {
			return ExitFindings
		}
	}
	return ExitClean
}

package audit

// The exit codes of an audit. A run that is incomplete and has findings counts
// as incomplete, because the missing part may be worse.
const (
	ExitClean      = 0
	ExitFindings   = 1
	ExitIncomplete = 2
)

// ExitPolicy says which results affect the exit code. The zero ExitPolicy
// counts every FAIL.
type ExitPolicy struct {
	// FailOn is the lowest severity that counts.
	FailOn Severity
	// Warnings makes WARN count like FAIL.
	Warnings bool
	// RequireFresh makes a stale report count as incomplete.
	RequireFresh bool
}

// ExitCode returns the exit code for a run. Excused findings and MANUAL do not
// count. A run without accounts is incomplete.
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

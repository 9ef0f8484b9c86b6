package fleettest

import "time"

// Fault is a fault of an account; the zero value is no fault. Counts say how
// many calls get this answer before the service is asked; -1 means all.
type Fault struct {
	State string // of the organization; "" is ACTIVE

	NoRole bool // the role does not exist, or does not trust the caller
	Forbid bool // a service control policy forbids reports

	Throttled   int // calls of IAM and STS refused with Throttling
	NoCapacity  int // GenerateCredentialReport refused with LimitExceeded
	InProgress  int // GetCredentialReport refused with ReportInProgress
	Failing     int // calls of IAM that end with ServiceFailure
	Dropped     int // calls of IAM whose connection is closed without an answer
	Slow        time.Duration
	OldReport   time.Duration // there is a report of this age, and no newer one is generated
	OtherReport string        // the account whose report is returned instead
	NoReport    bool          // the content is not a report

	// These concern calls for facts beyond the report.
	FactsDenied    string // the action that is denied
	FactsThrottled int    // calls refused with Throttling
	FactsFailing   int    // calls that end with ServiceFailure
	// FactsStop is the number of the first call that gets no answer until the
	// client gives up, as all later ones; 0 means that all are answered.
	FactsStop int
}

// spend subtracts one from a count and says whether the count allowed it.
func spend(n *int) bool {
	if *n == 0 {
		return false
	}
	if *n > 0 {
		*n--
	}
	return true
}

package fleettest

import "time"

// Fault is a fault of an account; the zero value is none. Counts are of calls
// that get this answer before the service is asked; -1 is all of them.
type Fault struct {
	State string // of the organization; "" is ACTIVE

	NoRole bool // the role is not there, or does not trust the caller
	Forbid bool // a service control policy forbids reports

	Throttled   int // calls of IAM and STS refused with Throttling
	NoCapacity  int // GenerateCredentialReport refused with LimitExceeded
	InProgress  int // GetCredentialReport refused with ReportInProgress
	Failing     int // calls of IAM that end with ServiceFailure
	Dropped     int // calls of IAM whose connection is closed without an answer
	Slow        time.Duration
	OldReport   time.Duration // there is a report of this age, and no newer one is created
	OtherReport string        // the account whose report it gives instead
	NoReport    bool          // what it gives is no report
}

// spend takes one from a count and says whether there was one.
func spend(n *int) bool {
	if *n == 0 {
		return false
	}
	if *n > 0 {
		*n--
	}
	return true
}

package history

import "time"

// Status says how it went with one account in the last run that expected it.
type Status string

const (
	// OK: a new report was generated, fetched and saved.
	OK Status = "ok"
	// Cached: a report young enough was there already, in the folder or at the
	// service.
	Cached Status = "cached"
	// Stale: the service had only a report older than was asked for, which was
	// saved.
	Stale Status = "stale"
	// Denied: the role could not be assumed, or may not get reports.
	Denied Status = "denied"
	// Throttled: the service was too busy until the time was up.
	Throttled Status = "throttled"
	// Timeout: no report was generated before the time was up.
	Timeout Status = "timeout"
	// Failed: anything else went wrong.
	Failed Status = "failed"
	// Unfinished: the run has not come to this account yet, or ended before.
	Unfinished Status = "unfinished"

	// Suspended, Closing, Closed and Pending are states of an account of an
	// organization in which it is not asked for a report.
	Suspended Status = "suspended"
	Closing   Status = "closing"
	Closed    Status = "closed"
	Pending   Status = "pending"
	// Left: the account is no longer in the organization that it was listed
	// in before.
	Left Status = "left"
)

// Statuses is every status, the good ones first.
var Statuses = []Status{
	OK, Cached, Stale, Denied, Throttled, Timeout, Failed, Unfinished,
	Suspended, Closing, Closed, Pending, Left,
}

// HasReport says whether the run ended with a report of the account in the
// folder: OK, Cached or Stale.
func (s Status) HasReport() bool { return s == OK || s == Cached || s == Stale }

// Inactive says that no report could be expected, because of the state the
// organization has the account in.
func (s Status) Inactive() bool {
	return s == Suspended || s == Closing || s == Closed || s == Pending || s == Left
}

// Incomplete says that a report was expected and did not come.
func (s Status) Incomplete() bool { return !s.HasReport() && !s.Inactive() }

// Outcome is the outcome of the last run that expected an account.
type Outcome struct {
	// Account is its twelve digits; "" where only a profile is known, whose
	// credentials failed before they could tell.
	Account   string `json:"account,omitempty"`
	Name      string `json:"name,omitempty"`      // as the organization or the user calls it
	Partition string `json:"partition,omitempty"` // aws, aws-cn, …
	// Organization is the id of the organization that listed the account; ""
	// where the user named it.
	Organization string `json:"organization,omitempty"`
	// Profile is the profile of the AWS configuration that it was reached by;
	// "" where there is none.
	Profile string `json:"profile,omitempty"`
	Status  Status `json:"status"`
	// Message says why, in one line; "" where there is nothing to explain.
	Message string `json:"message,omitempty"`
	// NoFacts says why there is nothing of what was to be asked beyond the
	// report, in one line; "" where it came, or nobody wanted it.
	NoFacts string `json:"no_facts,omitempty"`
	// GeneratedAt is the report this led to; zero for none.
	GeneratedAt time.Time `json:"generated_at,omitzero"`
	// At says when this came to be known; Run, when the run began.
	At  time.Time `json:"at"`
	Run time.Time `json:"run"`
}

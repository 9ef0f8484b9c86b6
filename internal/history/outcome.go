package history

import "time"

// Status is the result of the last run that expected an account.
type Status string

const (
	// OK: a new report was generated, fetched and saved.
	OK Status = "ok"
	// Cached: a recent enough report existed already, in the folder or at the
	// service.
	Cached Status = "cached"
	// Stale: the service only had an older report than the run asked for. It
	// was saved.
	Stale Status = "stale"
	// Denied: the role could not be assumed, or may not get reports.
	Denied Status = "denied"
	// Throttled: the service was too busy until the timeout.
	Throttled Status = "throttled"
	// Timeout: no report was generated before the timeout.
	Timeout Status = "timeout"
	// Failed: anything else went wrong.
	Failed Status = "failed"
	// Unfinished: the run has not reached this account yet, or ended before it
	// did.
	Unfinished Status = "unfinished"

	// Suspended, Closing, Closed and Pending are states of an account in an
	// organization. A run requests no report of such an account.
	Suspended Status = "suspended"
	Closing   Status = "closing"
	Closed    Status = "closed"
	Pending   Status = "pending"
	// Left: the account is no longer in the organization that listed it before.
	Left Status = "left"
)

// Statuses contains every status, the successful ones first.
var Statuses = []Status{
	OK, Cached, Stale, Denied, Throttled, Timeout, Failed, Unfinished,
	Suspended, Closing, Closed, Pending, Left,
}

// HasReport says whether the run ended with a report of the account in the
// folder: OK, Cached or Stale.
func (s Status) HasReport() bool { return s == OK || s == Cached || s == Stale }

// Inactive says whether no report could be expected, because of the account's
// state in its organization.
func (s Status) Inactive() bool {
	return s == Suspended || s == Closing || s == Closed || s == Pending || s == Left
}

// Incomplete says whether a report was expected but is missing.
func (s Status) Incomplete() bool { return !s.HasReport() && !s.Inactive() }

// Outcome is the outcome of the last run that expected an account.
type Outcome struct {
	// Account has twelve digits. It is "" if only a profile is known, because
	// its credentials failed before they revealed the account.
	Account   string `json:"account,omitempty"`
	Name      string `json:"name,omitempty"`      // the name that the organization or the user gave it
	Partition string `json:"partition,omitempty"` // aws, aws-cn, …
	// Organization is the id of the organization that listed the account. It is
	// "" if the user named the account.
	Organization string `json:"organization,omitempty"`
	// Profile is the profile of the AWS configuration that gave access to the
	// account, "" for none.
	Profile string `json:"profile,omitempty"`
	Status  Status `json:"status"`
	// Message explains the status in one line. It is "" if there is nothing to
	// explain.
	Message string `json:"message,omitempty"`
	// NoFacts says in one line why the facts beyond the report are missing. It
	// is "" if they exist or nobody wanted them.
	NoFacts string `json:"no_facts,omitempty"`
	// FactsUnfinished says that the run ended, or its time was over, before it had
	// read these facts. A repeated run continues there.
	FactsUnfinished bool `json:"facts_unfinished,omitempty"`
	// GeneratedAt is the time of the report that the run got, zero for none.
	GeneratedAt time.Time `json:"generated_at,omitzero"`
	// At is the time of this outcome, and Run is the time when the run began.
	At  time.Time `json:"at"`
	Run time.Time `json:"run"`
}

// Unfinished says whether the run ended before it was done with the account.
func (o *Outcome) Unfinished() bool { return o.Status == Unfinished || o.FactsUnfinished }

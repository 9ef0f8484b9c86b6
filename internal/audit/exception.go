package audit

import "time"

// Exception excuses findings for a time. All it names must match exactly,
// letter case included.
type Exception struct {
	ID      string `yaml:"id" json:"id"`
	Control string `yaml:"control" json:"control"`
	Account string `yaml:"account" json:"account"`
	// One of User, ARN and Path says whom: the name (<root_account> for root),
	// the ARN, or the path all of whose direct users are meant.
	User string `yaml:"user" json:"user,omitempty"`
	ARN  string `yaml:"arn" json:"arn,omitempty"`
	Path string `yaml:"path" json:"path,omitempty"`
	// Credential binds it to one credential, as [Credential.ID] gives it; ""
	// means whatever the user has.
	Credential string `yaml:"credential" json:"credential,omitempty"`
	Reason     string `yaml:"reason" json:"reason"`
	Owner      string `yaml:"owner" json:"owner"`
	Ticket     string `yaml:"ticket" json:"ticket"`
	// Expires is the last day, in UTC, on which it excuses.
	Expires Date `yaml:"expires" json:"expires"`
}

// Date is a day in UTC.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// ExceptionState says how an exception fared in a run.
type ExceptionState string

// The states. An exception that expired is expired, matched or not.
const (
	ExceptionActive    ExceptionState = "active"
	ExceptionExpiring  ExceptionState = "expiring"  // active for at most 14 days more
	ExceptionExpired   ExceptionState = "expired"   // what it would excuse is back
	ExceptionUnmatched ExceptionState = "unmatched" // there was nothing to excuse
)

// ExceptionUse is an exception and what became of it.
type ExceptionUse struct {
	Exception Exception      `json:"exception"`
	State     ExceptionState `json:"state"`
	// Matched is how many findings it excused, or would have unless expired.
	Matched int `json:"matched"`
}

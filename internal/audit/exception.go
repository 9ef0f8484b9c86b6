package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"rollcall/internal/lazyregexp"
)

// Exception excuses findings for a limited time. Everything that it names must
// match exactly, including letter case. It excuses FAIL and WARN, but not
// NO_DATA and not findings of C19.
type Exception struct {
	ID string `yaml:"id" json:"id"`
	// Control is the id of a control.
	Control string `yaml:"control" json:"control"`
	// Account is the number of the account.
	Account string `yaml:"account" json:"account"`
	// One of User, ARN and Path identifies the users: the name (<root_account>
	// for root), the ARN, or a path, which means all users directly under it.
	User string `yaml:"user,omitempty" json:"user,omitempty"`
	ARN  string `yaml:"arn,omitempty" json:"arn,omitempty"`
	Path string `yaml:"path,omitempty" json:"path,omitempty"`
	// Credential limits it to one credential, in the form of [Credential.ID].
	// "" means all credentials of the user.
	Credential string `yaml:"credential,omitempty" json:"credential,omitempty"`
	Reason     string `yaml:"reason" json:"reason"`
	Owner      string `yaml:"owner" json:"owner"`
	Ticket     string `yaml:"ticket" json:"ticket"`
	// Expires is the last day, in UTC, on which it applies.
	Expires Date `yaml:"expires" json:"expires"`
}

// Date is a day in UTC. The zero Date means no day.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// ParseDate reads a day such as 2027-01-31.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("read day: %q is not a day such as 2027-01-31", s)
	}
	return DateOf(t), nil
}

// DateOf returns the day that contains t.
func DateOf(t time.Time) Date {
	year, month, day := t.UTC().Date()
	return Date{year, month, day}
}

// String returns the day in the form of ParseDate.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// IsZero reports whether d is the zero Date.
func (d Date) IsZero() bool { return d == Date{} }

// start returns the time at which the day begins.
func (d Date) start() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// MarshalJSON returns the day as a string.
func (d Date) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads a day from a string.
func (d *Date) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	got, err := ParseDate(s)
	if err == nil {
		*d = got
	}
	return err
}

// MarshalYAML returns the day in the form of a file.
func (d Date) MarshalYAML() (any, error) {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: d.String()}, nil
}

// UnmarshalYAML reads a day, quoted or not.
func (d *Date) UnmarshalYAML(node *yaml.Node) error {
	got, err := ParseDate(node.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w", node.Line, err)
	}
	*d = got
	return nil
}

// Validate returns an error if an exception is invalid. If wildcards are
// allowed, control, account, user, ARN and path may contain * for any
// characters and ? for one.
func (e *Exception) Validate(allowWildcards bool) error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("exception %q: "+format, append([]any{e.ID}, args...)...)
	}
	for _, need := range []struct{ key, value string }{
		{"id", e.ID}, {"control", e.Control}, {"account", e.Account},
		{"reason", e.Reason}, {"owner", e.Owner}, {"ticket", e.Ticket},
	} {
		if strings.TrimSpace(need.value) == "" {
			return fail("%s is missing", need.key)
		}
	}
	if e.Expires.IsZero() {
		return fail("expires is missing")
	}
	whom := 0
	for _, s := range []string{e.User, e.ARN, e.Path} {
		if s != "" {
			whom++
		}
	}
	if whom != 1 {
		return fail("one of user, arn and path must say whom it is for")
	}
	for _, s := range []string{e.Control, e.Account, e.User, e.ARN, e.Path} {
		if hasWildcard(s) && !allowWildcards {
			return fail("%q has a wildcard, and wildcards are not allowed", s)
		}
	}
	switch {
	case hasWildcard(e.Control):
	case findRule(ControlID(e.Control)) == nil && !isOwnID(e.Control):
		return fail("there is no control %q", e.Control)
	case e.Control == string(Evidence) || e.Control == string(CredentialEvents):
		return fail("control %s cannot be excused", e.Control)
	}
	if !hasWildcard(e.Account) && !accountNumber.MatchString(e.Account) {
		return fail("account %q is not a number of 12 digits", e.Account)
	}
	if e.Path != "" && !hasWildcard(e.Path) && (e.Path[0] != '/' || e.Path[len(e.Path)-1] != '/') {
		return fail("path %q does not begin and end with /", e.Path)
	}
	if e.Credential != "" && !credentialID.MatchString(e.Credential) {
		return fail("credential %q is not password, key:TIME or cert:TIME", e.Credential)
	}
	return nil
}

var (
	accountNumber = lazyregexp.New(`^[0-9]{12}$`)
	credentialID  = lazyregexp.New(
		`^(password|(key|cert):[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z(#[12])?)$`)
)

func hasWildcard(s string) bool { return strings.ContainsAny(s, "*?") }

// validateExceptions also refuses an id that occurs twice.
func validateExceptions(list []Exception, allowWildcards bool) error {
	seen := make(map[string]bool, len(list))
	var errs []error
	for i := range list {
		if strings.TrimSpace(list[i].ID) == "" {
			errs = append(errs, fmt.Errorf("exception number %d: id is missing", i+1))
			continue
		}
		if err := list[i].Validate(allowWildcards); err != nil {
			errs = append(errs, err)
		}
		if seen[list[i].ID] {
			errs = append(errs, fmt.Errorf("exception %q occurs twice", list[i].ID))
		}
		seen[list[i].ID] = true
	}
	return errors.Join(errs...)
}

// ExceptionState is the state of an exception after a run.
type ExceptionState string

// The states. The first that applies is used.
const (
	ExceptionExpired   ExceptionState = "expired"   // it has expired, and would still excuse a finding
	ExceptionUntested  ExceptionState = "untested"  // its account was not audited, or its control was not judged
	ExceptionUnmatched ExceptionState = "unmatched" // there was nothing to excuse
	ExceptionExpiring  ExceptionState = "expiring"  // it expires in at most 14 days
	ExceptionActive    ExceptionState = "active"
)

// ExceptionUse is an exception and its use in a run.
type ExceptionUse struct {
	Exception Exception      `json:"exception"`
	State     ExceptionState `json:"state"`
	// Matched is the number of findings that it excused, or would have excused
	// if it had not expired.
	Matched int `json:"matched"`
}

// expiringDays is the number of days before its end from which an exception is
// reported as expiring.
const expiringDays = 14

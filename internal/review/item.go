package review

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"rollcall/internal/audit"
	"rollcall/report"
)

// Item is a line of a review: a credential of a user, or a user without a
// credential in the report.
type Item struct {
	// Line identifies the item in all reviews.
	Line        string `json:"line"`
	Reviewer    string `json:"reviewer"`
	Account     string `json:"account"`
	AccountName string `json:"account_name,omitempty"`
	User        string `json:"user"`
	ARN         string `json:"arn"`
	UserCreated string `json:"user_created"`
	Class       string `json:"class"`
	// Kind is password, access key, certificate, or user.
	Kind string `json:"kind"`
	// Credential is its id among the credentials of the user, see
	// [audit.Credential]; "" for a user.
	Credential string `json:"credential,omitempty"`
	KeyID      string `json:"key_id,omitempty"`
	State      string `json:"state"`       // active, inactive, unknown, or none for a user
	Created    string `json:"created"`     // a time; "" if the report does not say
	LastUsed   string `json:"last_used"`   // a time, "never" or "unknown"
	UsedFrom   string `json:"used_from"`   // service and region
	MFA        string `json:"mfa"`         // yes, no, unknown
	AgeDays    *int   `json:"age_days"`    // since Created, at the report's time
	UnusedDays *int   `json:"unused_days"` // since LastUsed
	Note       string `json:"note,omitempty"`
	// Findings are the verdicts of the audit that people should see. FAIL comes
	// first.
	Findings []Finding `json:"findings"`
	// New, Changes, Before and KeptInARow compare the item with the previous
	// review.
	New     bool     `json:"new"`
	Changes []string `json:"changes"`
	Before  *Before  `json:"before,omitempty"`
	// KeptInARow is the number of successive reviews that have kept it.
	KeptInARow int `json:"kept_in_a_row"`
}

// Finding is a verdict of the audit.
type Finding struct {
	Control  string `json:"control"`
	Title    string `json:"title"`
	Status   string `json:"status"`
	Severity string `json:"severity"`
	Reason   string `json:"reason"`
	// Exception is the exception of the configuration that excuses it, "" for none.
	Exception string `json:"exception,omitempty"`
}

// Before is the decision of the previous review.
type Before struct {
	Decision Verb   `json:"decision"`
	By       string `json:"by"`
	Reason   string `json:"reason,omitempty"`
	Expires  string `json:"expires,omitempty"`
}

// Fails reports whether the item breaks a rule of the audit without an
// exception.
func (i *Item) Fails() bool {
	for _, f := range i.Findings {
		if f.Status == audit.Fail.String() && f.Exception == "" {
			return true
		}
	}
	return false
}

// Title returns the name of the item for people.
func (i *Item) Title() string {
	title := i.User + ", " + i.what()
	return title + ", account " + i.Account
}

// what returns the name of the credential without its user.
func (i *Item) what() string {
	switch {
	case i.Kind == kindUser:
		return "no credentials"
	case i.Kind == kindPassword:
		return i.Kind
	case i.KeyID != "":
		return i.Kind + " " + i.KeyID
	case i.Created != "":
		return i.Kind + " created " + i.Created
	}
	return i.Kind + " " + i.Credential
}

// These are the kinds of items.
const (
	kindPassword    = "password"
	kindKey         = "access key"
	kindCertificate = "certificate"
	kindUser        = "user"
)

// These are the states of items.
const (
	stateActive   = "active"
	stateInactive = "inactive"
	stateUnknown  = "unknown"
	stateNone     = "none"
)

// lineOf returns the identity of an item. It begins with a letter, so that
// spreadsheets do not take it for a number.
func lineOf(account, arn, userCreated, credential string) string {
	sum := sha256.Sum256([]byte(account + "\x00" + arn + "\x00" + userCreated + "\x00" + credential))
	return "r" + hex.EncodeToString(sum[:8])
}

// itemsOf returns the items of a row: one for each credential that exists or
// may exist. If there is none, it returns one for the user.
func itemsOf(row *report.Row, account string, asOf time.Time) []Item {
	base := Item{
		Account: account, User: row.User, ARN: row.ARN, UserCreated: textOf(row.Created),
		MFA: answer(row.MFAActive), LastUsed: neverUsed, Findings: []Finding{}, Changes: []string{},
	}
	if row.Additional.IsPresent() {
		base.Note = "The report says: " + row.Additional.String() + "."
	}
	var all []Item
	for _, c := range credentialsOf(row) {
		i := base
		i.Kind, i.Credential, i.State = c.kind, c.ID(), c.state
		i.Line = lineOf(account, row.ARN, i.UserCreated, i.Credential)
		i.Created, i.LastUsed, i.UsedFrom = textOf(c.made), usedText(c.used), c.usedFrom
		i.AgeDays, i.UnusedDays = daysSince(c.made, asOf), daysSince(c.used, asOf)
		all = append(all, i)
	}
	if len(all) == 0 {
		i := base
		i.Kind, i.State, i.Created = kindUser, stateNone, base.UserCreated
		i.LastUsed, i.AgeDays = "", daysSince(row.Created, asOf)
		i.Line = lineOf(account, row.ARN, i.UserCreated, "")
		all = append(all, i)
	}
	return all
}

// held is a credential of a row.
type held struct {
	audit.Credential
	kind, state, usedFrom string
	made, used            report.Time
}

func credentialsOf(row *report.Row) (all []held) {
	if s := stateOf(row.PasswordEnabled); s != stateInactive {
		all = append(all, held{
			Credential: audit.Credential{Kind: audit.Password}, kind: kindPassword, state: s,
			made: row.PasswordLastChanged, used: row.PasswordLastUsed,
		})
	}
	for n := range row.Keys {
		k, other := &row.Keys[n], &row.Keys[1-n]
		if !k.Exists() && k.Known() {
			continue
		}
		h := held{
			Credential: audit.Credential{Kind: audit.AccessKey, Slot: n + 1, Created: k.LastRotated,
				Tied: k.LastRotated.IsPresent() && k.LastRotated == other.LastRotated},
			kind: kindKey, state: stateOf(k.Active), made: k.LastRotated, used: k.LastUsed,
		}
		if k.LastUsedService.IsPresent() {
			h.usedFrom = k.LastUsedService.String()
		}
		if k.LastUsedRegion.IsPresent() {
			h.usedFrom += " " + k.LastUsedRegion.String()
		}
		all = append(all, h)
	}
	for n := range row.Certificates {
		c, other := &row.Certificates[n], &row.Certificates[1-n]
		if !c.Exists() && c.Known() {
			continue
		}
		all = append(all, held{
			Credential: audit.Credential{Kind: audit.Certificate, Slot: n + 1, Created: c.LastRotated,
				Tied: c.LastRotated.IsPresent() && c.LastRotated == other.LastRotated},
			kind: kindCertificate, state: stateOf(c.Active), made: c.LastRotated,
			used: report.None(report.MissingColumn), // a report does not show the use of certificates
		})
	}
	return all
}

func stateOf(active report.Bool) string {
	switch {
	case active.IsTrue():
		return stateActive
	case active.IsFalse():
		return stateInactive
	}
	return stateUnknown
}

func answer(b report.Bool) string {
	switch {
	case b.IsTrue():
		return "yes"
	case b.IsFalse():
		return "no"
	}
	return stateUnknown
}

func textOf(t report.Time) string {
	if !t.IsPresent() {
		return ""
	}
	return t.String()
}

// neverUsed is the value of Item.LastUsed for a credential that was never used.
const neverUsed = "never"

func usedText(t report.Time) string {
	switch t.Absence() {
	case report.Present:
		return t.String()
	case report.NotApplicable, report.NoInformation:
		return neverUsed
	}
	return stateUnknown
}

func daysSince(t report.Time, asOf time.Time) *int {
	at, ok := t.Value()
	if !ok || asOf.IsZero() {
		return nil
	}
	days := int(asOf.Sub(at) / (24 * time.Hour))
	return &days
}

func daysText(days *int) string {
	if days == nil {
		return ""
	}
	return fmt.Sprint(*days)
}

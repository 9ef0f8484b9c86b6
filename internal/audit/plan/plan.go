package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/words"
	"rollcall/report"
)

// The defaults of Options.
const (
	DefaultFinalDays      = 7
	DefaultDeactivateDays = 14
	DefaultDeleteDays     = 30
	DefaultKeepUsedDays   = 30
	// DefaultMost is the default maximum number of credentials in a plan.
	// Nobody reviews a longer one.
	DefaultMost = 1000
)

// Options say how to plan. Each number that is zero means its default.
type Options struct {
	// Start is the day of the first warning. Its zone is the zone of windows
	// and days.
	Start time.Time
	// FinalDays and DeactivateDays count from Start. DeleteDays counts from the
	// day of deactivation.
	FinalDays, DeactivateDays, DeleteDays int
	// KeepUsedDays keeps credentials that were used within that time.
	KeepUsedDays int
	// Windows are the times at which credentials may be deactivated and
	// deleted; none means at any time.
	Windows []Window
	// Now is the time of planning, zero if it is unknown. Times never count
	// from later than that.
	Now time.Time
	// Classes says which users are for emergencies.
	Classes audit.Classes
	// Most limits the credentials in the plan, and the other findings of each
	// kind that are listed.
	Most int
}

func (o *Options) complete() error {
	for _, n := range []struct {
		value *int
		or    int
	}{
		{&o.FinalDays, DefaultFinalDays}, {&o.DeactivateDays, DefaultDeactivateDays},
		{&o.DeleteDays, DefaultDeleteDays},
		{&o.KeepUsedDays, DefaultKeepUsedDays}, {&o.Most, DefaultMost},
	} {
		if *n.value == 0 {
			*n.value = n.or
		}
		if *n.value < 0 || *n.value > 3650 && n.value != &o.Most {
			return errors.New("days must be from 1 to 3650")
		}
	}
	switch {
	case o.Start.IsZero():
		return errors.New("a plan needs a day to start on")
	case o.DeactivateDays <= o.FinalDays:
		return errors.New("the final warning must come before the deactivation")
	}
	y, m, d := o.Start.Date()
	o.Start = time.Date(y, m, d, 0, 0, 0, 0, o.Start.Location())
	return nil
}

// Stage is a stage of the remediation of one credential.
type Stage string

// The stages in order. A password cannot be deactivated: it is removed in the
// stage Deactivate, and has no stage Delete.
const (
	Warn       Stage = "warn"
	Final      Stage = "final"
	Deactivate Stage = "deactivate"
	Delete     Stage = "delete"
)

// Stages contains all stages.
var Stages = [...]Stage{Warn, Final, Deactivate, Delete}

// Step is a stage with its day.
type Step struct {
	Stage     Stage     `json:"stage"`
	NotBefore time.Time `json:"not_before"`
}

// Item is a credential to remove.
type Item struct {
	// ID has 16 hexadecimal digits. It is the same in every plan for this
	// credential.
	ID          string
	Account     string
	User, ARN   string
	UserCreated report.Time
	Credential  audit.Credential // an access key or a password
	// KeyID is the access key's id, "" if only its creation time is known.
	KeyID string
	// Inactive says that the key is already inactive.
	Inactive bool
	// LastUsed is the last use in the report, absent for never.
	LastUsed report.Time
	// Findings are the reasons for its removal.
	Findings []audit.Finding
	Steps    []Step
	// mfaHelps says that only MFA is missing.
	mfaHelps bool
}

// step returns the step of a stage.
func (i *Item) step(s Stage) (Step, bool) {
	for _, step := range i.Steps {
		if step.Stage == s {
			return step, true
		}
	}
	return Step{}, false
}

// Reason says why the plan does not act on a finding.
type Reason string

// The reasons.
const (
	// Kept: a plan must not remove it, or not now.
	Kept Reason = "kept"
	// Excused: an exception excuses it.
	Excused Reason = "excused"
	// Person: no command can do it, or a person must decide.
	Person Reason = "person"
	// Root: nothing that belongs to root is automated.
	Root Reason = "root"
)

// Reasons contains all reasons in the order for lists.
var Reasons = [...]Reason{Root, Person, Kept, Excused}

// Left is a finding on which the plan does not act.
type Left struct {
	Reason     Reason
	Account    string
	User       string
	Credential audit.Credential
	Findings   []audit.Finding
	// Why says in a sentence why the plan does not act, and what to do.
	Why string
}

// Service is the service that an account's report came from. A plan acts only
// on this service. The zero Service is unknown: the report is a file without
// this information.
type Service struct {
	// Known says that the report came from a service.
	Known bool
	// Endpoint is its URL, "" for AWS.
	Endpoint string
	// Profile is the profile of the AWS configuration that gave access to it,
	// "" if there was none.
	Profile string
}

// word returns the service in one word: aws, the URL, or "" if it is unknown.
func (s Service) word() string {
	switch {
	case !s.Known:
		return ""
	case s.Endpoint == "":
		return "aws"
	}
	return s.Endpoint
}

// String returns a name of the service for people.
func (s Service) String() string {
	switch {
	case !s.Known:
		return "a file that does not name its service"
	case s.Endpoint == "":
		return "AWS"
	}
	return s.Endpoint
}

// Account is the part of a plan for one account.
type Account struct {
	Source  audit.Source
	Service Service
	AsOf    time.Time
	// Cutoff is a time. None of the planned credentials was used since then.
	Cutoff time.Time
	Items  []Item
	Left   []Left

	planned map[string]bool // by the ids of items
}

// Plan is a remediation plan.
type Plan struct {
	Options  Options
	Accounts []*Account
	Total    int            // number of items
	Counts   map[Reason]int // number of findings in Left
	// More is the number of items beyond Options.Most.
	More int
	// Unclassified are users who look like break-glass users and have not been
	// classified.
	Unclassified []string
	// Problems are the reasons why the plan is incomplete.
	Problems []string
}

// New returns an empty plan.
func New(o Options) (*Plan, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	return &Plan{Options: o, Counts: map[Reason]int{}}, nil
}

// Begin begins an account. The following rows belong to its report, which came
// from the service and was judged for the time asOf.
func (p *Plan) Begin(src audit.Source, from Service, asOf time.Time) {
	// The report does not contain later events.
	first := asOf
	for _, t := range []time.Time{src.Generated, p.Options.Now} {
		if !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	cutoff := first.AddDate(0, 0, -p.Options.KeepUsedDays).UTC().Truncate(time.Second)
	p.Accounts = append(p.Accounts, &Account{Source: src, Service: from, AsOf: asOf, Cutoff: cutoff,
		planned: map[string]bool{}})
}

// End ends an account with the result of its audit. It returns an error if the plan
// already contains a report of the account. Of two reports one is older, and the
// script would act twice.
func (p *Plan) End(a *audit.AccountSummary) error {
	current := p.Accounts[len(p.Accounts)-1]
	current.Source, current.AsOf = a.Source, a.AsOf
	of := "Unknown account"
	if a.Source.Account != "" {
		of = "Account " + a.Source.Account
	}
	for _, problem := range a.Problems {
		p.Problems = append(p.Problems, of+": "+problem.Text)
	}
	if a.Incomplete() && len(a.Problems) == 0 {
		p.Problems = append(p.Problems, of+": not everything could be judged.")
	}
	for _, before := range p.Accounts[:len(p.Accounts)-1] {
		if id := a.Source.Account; id != "" && before.Source.Account == id {
			return fmt.Errorf("there are two reports of account %s, %s and %s: name the one that is meant",
				id, nameOf(&before.Source), nameOf(&a.Source))
		}
	}
	return nil
}

// nameOf returns the file of a report, or otherwise its time.
func nameOf(s *audit.Source) string {
	return cmp.Or(s.Path, "that of "+words.Time(s.Generated))
}

func (p *Plan) account() *Account { return p.Accounts[len(p.Accounts)-1] }

func (p *Plan) leave(l Left) {
	a := p.account()
	p.Counts[l.Reason]++
	if p.Counts[l.Reason] <= p.Options.Most {
		l.Account = a.Source.Account
		a.Left = append(a.Left, l)
	}
}

func (p *Plan) add(i Item) {
	a := p.account()
	i.Account = a.Source.Account
	sum := sha256.Sum256([]byte(i.Account + "\x00" + i.ARN + "\x00" + i.Credential.ID()))
	i.ID = hex.EncodeToString(sum[:8])
	if a.planned[i.ID] {
		p.leave(Left{Reason: Kept, User: i.User, Credential: i.Credential, Findings: i.Findings,
			Why: "It is planned already: the report has two rows of the user."})
		return
	}
	p.Total++
	if p.Total > p.Options.Most {
		p.More++
		return
	}
	a.planned[i.ID] = true
	i.Steps = p.steps(&i)
	a.Items = append(a.Items, i)
}

// steps returns the stages of an item. An inactive key is deleted when it could
// be if it were deactivated today.
func (p *Plan) steps(i *Item) []Step {
	o := &p.Options
	final := o.Start.AddDate(0, 0, o.FinalDays)
	steps := []Step{{Warn, o.Start}, {Final, final}}
	if i.Inactive {
		gone := o.Start.AddDate(0, 0, max(o.DeleteDays, o.FinalDays+1))
		return append(steps, Step{Delete, next(gone, o.Windows)})
	}
	off := next(o.Start.AddDate(0, 0, o.DeactivateDays), o.Windows)
	steps = append(steps, Step{Deactivate, off})
	if i.Credential.Kind == audit.AccessKey {
		steps = append(steps, Step{Delete, next(off.AddDate(0, 0, o.DeleteDays), o.Windows)})
	}
	return steps
}

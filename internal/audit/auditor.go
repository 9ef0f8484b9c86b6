package audit

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"rollcall/internal/words"
	"rollcall/report"
)

// DefaultMaxRows is the default maximum number of rows of one report.
const DefaultMaxRows = 10_000_000

// DefaultTop is the default number of the worst findings in a summary.
const DefaultTop = 20

// Options say how to judge. The zero Options use the default benchmark without
// changes.
type Options struct {
	// Benchmark is the benchmark; nil means [DefaultBenchmark].
	Benchmark *Benchmark
	// Params are the thresholds; nil means the benchmark's.
	Params *Params
	// Controls limits the controls that are judged; none means all of the
	// benchmark.
	Controls []ControlID
	Classes  Classes
	// Exceptions are the exceptions of [Config.Exceptions].
	Exceptions []Exception
	// Statuses selects the findings that a visit receives; 0 means [Reported].
	// All verdicts are counted in any case.
	Statuses StatusSet
	// EveryRow also visits rows without selected findings.
	EveryRow bool
	// AsOf is the time to judge for; zero means the Source.Generated of each
	// report.
	AsOf time.Time
	// ManagementAccount is the account whose organization manages the root
	// credentials of its members centrally. All other accounts of the run are
	// such members. It decides C18 if an Enrichment does not. "" means that
	// this is unknown.
	ManagementAccount string
	// Now is the time of the run. It is only used for the age of a report whose
	// Source.Fetched is unknown, and may be zero.
	Now time.Time
	// Top is the number of the worst findings to keep; 0 means DefaultTop, -1
	// none.
	Top int
	// MaxRows is the maximum number of rows of a report, which ends an endless
	// report; 0 means DefaultMaxRows.
	MaxRows int
	// ReadInTurn reads each row when the previous one has been judged. It saves the
	// 200 KiB that reading ahead takes, where many reports are audited side by
	// side.
	ReadInTurn bool
}

// Auditor audits the reports of a run. It is created with [New] and is safe for
// concurrent use.
type Auditor struct {
	options    Options
	params     Params
	rules      []*rule
	severities []Severity // severities of rules in the benchmark
	exceptions []excuse
	uncounted  []*rule // rules of C7 and C8 that are not among rules

	mu       sync.Mutex
	accounts []*AccountSummary
	matched  []int // by exception
}

// New returns an Auditor. It returns an error for controls that the benchmark
// does not contain, and for invalid exceptions.
func New(o Options) (*Auditor, error) {
	if o.Benchmark == nil {
		o.Benchmark, _ = FindBenchmark(DefaultBenchmark)
	}
	if o.Statuses == 0 {
		o.Statuses = Reported
	}
	if o.Top == 0 {
		o.Top = DefaultTop
	}
	if o.MaxRows == 0 {
		o.MaxRows = DefaultMaxRows
	}
	a := &Auditor{options: o, params: o.Benchmark.Params, matched: make([]int, len(o.Exceptions))}
	if o.Params != nil {
		a.params = *o.Params
	}
	if err := a.params.validate(); err != nil {
		return nil, err
	}
	for _, id := range o.Controls {
		if !slices.Contains(o.Benchmark.Controls, id) {
			return nil, fmt.Errorf("audit: benchmark %s has no control %s", o.Benchmark.ID, id)
		}
	}
	for _, id := range o.Benchmark.Controls {
		if len(o.Controls) > 0 && !slices.Contains(o.Controls, id) {
			continue
		}
		r := o.Benchmark.rule(id)
		if r == nil {
			return nil, fmt.Errorf("audit: there is no control %s", id)
		}
		a.rules = append(a.rules, r)
		a.severities = append(a.severities, o.Benchmark.Severity(&r.control))
	}
	for _, id := range []ControlID{PasswordUnused, KeyUnused} {
		if r := findRule(id); !slices.Contains(a.rules, r) {
			a.uncounted = append(a.uncounted, r)
		}
	}
	for i := range o.Exceptions {
		// Wildcards were refused when the file was read, unless they are
		// allowed.
		e := &o.Exceptions[i]
		if err := e.Validate(true); err != nil {
			return nil, err
		}
		if !hasWildcard(e.Control) && o.Benchmark.rule(ControlID(e.Control)) == nil {
			return nil, fmt.Errorf("exception %q: there is no control %q", e.ID, e.Control)
		}
		a.exceptions = append(a.exceptions, compileExcuse(&o.Exceptions[i]))
	}
	return a, nil
}

// Audit audits one report, which it reads from r in one pass, and stores the
// result for Summary. It calls visit after each row with selected findings, and
// last for the findings about the whole report, one call at a time, in the
// order of the file. visit may be nil. An error of visit, or of the context,
// ends the audit and is returned unchanged.
//
// A damaged file is not an error: the rows before the damage are judged, and
// the summary is incomplete and names the line.
func (a *Auditor) Audit(
	ctx context.Context, r io.Reader, src Source, facts *Enrichment, visit func(*Row) error,
) (*AccountSummary, error) {
	run := a.newRun(src, facts, visit)
	if err := run.read(ctx, r); err != nil {
		return nil, err
	}
	if err := run.end(); err != nil {
		return nil, err
	}
	a.record(run)
	return run.out, nil
}

// Missing records an account whose report is missing, and the reason: every
// control is NO_DATA. visit is the same as for Audit.
func (a *Auditor) Missing(src Source, why string, visit func(*Row) error) (*AccountSummary, error) {
	run := a.newRun(src, nil, visit)
	run.out.Missing = true
	run.problem(Problem{Text: words.Sentence("There is no report: " + why)})
	if err := run.end(); err != nil {
		return nil, err
	}
	a.record(run)
	return run.out, nil
}

func (a *Auditor) record(u *run) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.accounts = append(a.accounts, u.out)
	for i, n := range u.matched {
		a.matched[i] += n
	}
}

// Summary returns the results so far.
func (a *Auditor) Summary() *Summary {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &Summary{
		Benchmark: a.options.Benchmark, Params: a.params,
		Accounts: slices.Clone(a.accounts), Counts: a.newCounts(),
	}
	slices.SortStableFunc(s.Accounts, func(x, y *AccountSummary) int {
		return cmp.Or(cmp.Compare(x.Source.Partition, y.Source.Partition),
			cmp.Compare(x.Source.Account, y.Source.Account))
	})
	for _, account := range a.accounts {
		s.Counts.add(&account.Counts)
	}
	s.Exceptions = a.exceptionUses()
	return s
}

func (a *Auditor) newCounts() Counts {
	c := Counts{Controls: make([]ControlCounts, len(a.rules))}
	for i, r := range a.rules {
		c.Controls[i].Control = &r.control
	}
	return c
}

func (c *Counts) add(d *Counts) {
	for i := range c.Total {
		c.Total[i] += d.Total[i]
	}
	for i := range c.Severities {
		for j := range c.Severities[i] {
			c.Severities[i][j] += d.Severities[i][j]
		}
	}
	c.Suppressed += d.Suppressed
	for i := range c.Controls {
		for j := range c.Controls[i].Statuses {
			c.Controls[i].Statuses[j] += d.Controls[i].Statuses[j]
		}
		c.Controls[i].Suppressed += d.Controls[i].Suppressed
	}
}

// asOf returns the time to judge a report for.
func (a *Auditor) asOf(src *Source) time.Time {
	if !a.options.AsOf.IsZero() {
		return a.options.AsOf
	}
	return src.Generated
}

func reportTime(t time.Time) report.Time {
	if t.IsZero() {
		return report.None(report.MissingColumn)
	}
	return report.At(t)
}

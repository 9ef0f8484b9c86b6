package audit

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"rollcall/report"
)

// DefaultMaxRows says how many rows of one report are read.
const DefaultMaxRows = 10_000_000

// DefaultTop says how many of the worst findings a summary holds.
const DefaultTop = 20

// Options say how to judge. The zero Options is the default benchmark as it is.
type Options struct {
	// Benchmark is nil for [DefaultBenchmark].
	Benchmark *Benchmark
	// Params are the thresholds, nil for the benchmark's.
	Params *Params
	// Controls are the only ones to judge; none means all of the benchmark.
	Controls []ControlID
	Classes  Classes
	// Exceptions are those of [Config.Exceptions].
	Exceptions []Exception
	// Statuses are the findings a visit is given; 0 means [Reported]. All
	// verdicts are counted in any case.
	Statuses StatusSet
	// EveryRow makes rows without findings asked for be visited too.
	EveryRow bool
	// AsOf is the moment to judge for; zero means Source.Generated of each
	// report.
	AsOf time.Time
	// ManagementAccount says that the organization of this account manages the
	// root credentials of its members centrally, and that all other accounts of
	// the run are such members. It decides C18 where an Enrichment does not; ""
	// says nothing.
	ManagementAccount string
	// Now says when the run takes place. It counts only for the age of a report
	// whose Source.Fetched is not known, and may be zero.
	Now time.Time
	// Top says how many worst findings to keep; 0 means DefaultTop, -1 none.
	Top int
	// MaxRows says how many rows of a report are read, which is what ends an
	// endless one; 0 means DefaultMaxRows.
	MaxRows int
	// ReadInTurn reads each row when the one before has been judged. It saves the
	// 200 KiB that reading ahead takes, where many reports are audited side by
	// side.
	ReadInTurn bool
}

// Auditor audits the reports of a run. It is created with [New] and safe for
// concurrent use.
type Auditor struct {
	options    Options
	params     Params
	rules      []*rule
	severities []Severity // of rules, as the benchmark has them
	exceptions []excuse
	uncounted  []*rule // of C7 and C8 those that are not among rules

	mu       sync.Mutex
	accounts []*AccountSummary
	matched  []int // by exception
}

// New returns an Auditor. It refuses controls that the benchmark has not, and
// exceptions that are not valid.
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
		// Wildcards were refused when the file was read, unless allowed.
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

// Audit audits one report, streaming it from r in one pass, and remembers the
// outcome for Summary. After each row with findings asked for, and last for
// those of the report as a whole, it calls visit, one call at a time, in the
// order of the file. visit may be nil; an error of it ends the audit, and is
// returned as it is. So does the context.
//
// A damaged file is no error but an outcome: the rows before the damage are
// judged, the summary is incomplete and names the line.
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

// Missing records an account whose report could not be had, and why: every
// control is NO_DATA. visit is as that of Audit.
func (a *Auditor) Missing(src Source, why string, visit func(*Row) error) (*AccountSummary, error) {
	run := a.newRun(src, nil, visit)
	run.out.Missing = true
	run.problem(Problem{Text: "There is no report: " + why + "."})
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

// Summary returns the outcome of what was audited so far.
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

// asOf is the moment to judge a report for.
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

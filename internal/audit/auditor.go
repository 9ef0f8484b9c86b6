package audit

import (
	"context"
	"io"
	"time"
)

// DefaultMaxRows is how many rows of one report are read.
const DefaultMaxRows = 10_000_000

// DefaultTop is how many of the worst findings a summary holds.
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
	// Now is when the run takes place. It counts only for the age of a report
	// whose Source.Fetched is not known, and may be zero.
	Now time.Time
	// Top is how many worst findings to keep; 0 means DefaultTop, -1 none.
	Top int
	// MaxRows is how many rows of a report are read, which is what ends an
	// endless one; 0 means DefaultMaxRows.
	MaxRows int
}

// Auditor audits the reports of a run. It is made with [New] and safe for
// concurrent use.
type Auditor struct{}

// New returns an Auditor. It refuses controls that the benchmark has not, and
// exceptions and classes that are not valid.
func New(o Options) (*Auditor, error) { panic("not yet") }

// Audit audits one report, streaming it from r in one pass, and remembers the
// outcome for Summary. After each row with findings asked for, and once for
// those of the report as a whole, it calls visit, one call at a time, in the
// order of the file. visit may be nil; an error of it ends the audit, and is
// returned as it is. So does the context.
//
// A damaged file is no error but an outcome: the rows before the damage are
// judged, the summary is incomplete and names the line.
func (a *Auditor) Audit(ctx context.Context, r io.Reader, src Source, facts *Enrichment, visit func(*Row) error) (*AccountSummary, error) {
	panic("not yet")
}

// Missing records an account whose report could not be had, and why.
func (a *Auditor) Missing(src Source, why string) *AccountSummary { panic("not yet") }

// Summary returns the outcome of what was audited so far.
func (a *Auditor) Summary() *Summary { panic("not yet") }

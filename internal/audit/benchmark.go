package audit

import (
	"slices"
	"strings"
)

// DefaultBenchmark is used if none is named: the newest of CIS.
const DefaultBenchmark = CIS70

// DefaultParams returns the thresholds most benchmarks start from.
func DefaultParams() Params {
	return Params{
		UnusedDays:            45,
		KeyMaxAgeDays:         90,
		KeyMaxAgeDaysMachine:  90,
		KeyAgeRoot:            true,
		RotationGraceDays:     7,
		RootUsedFailDays:      1,
		RootUsedWarnDays:      90,
		SetupWindowMinutes:    10,
		CertificateMaxAgeDays: 365,
		LeftoverDays:          45,
		LeftoverKeyDays:       90,
		ReportMaxAgeHours:     24,
	}
}

const (
	titleCIS = "CIS Amazon Web Services Foundations Benchmark"
	aboutMap = "The standard does not speak of credential reports: which of its requirements a control serves is a " +
		"mapping, " +
		"of AWS Security Hub where it prints one, otherwise suggested."
)

var benchmarks = []*Benchmark{
	benchmark(Benchmark{
		ID: CIS12, Title: titleCIS, Version: "1.2",
		About: "Of 2018. Unused credentials count from 90 days on.",
	}, unused90),
	benchmark(Benchmark{ID: CIS14, Title: titleCIS, Version: "1.4", About: aboutCIS14}),
	benchmark(Benchmark{ID: CIS15, Title: titleCIS, Version: "1.5", About: aboutCIS14}),
	benchmark(Benchmark{ID: CIS20, Title: titleCIS, Version: "2.0", About: aboutCIS14}),
	benchmark(Benchmark{ID: CIS30, Title: titleCIS, Version: "3.0", About: aboutCIS14}),
	benchmark(Benchmark{ID: CIS401, Title: titleCIS, Version: "4.0.1", About: aboutCIS4}),
	benchmark(Benchmark{ID: CIS50, Title: titleCIS, Version: "5.0", About: aboutCIS4}),
	benchmark(Benchmark{ID: CIS60, Title: titleCIS, Version: "6.0", About: aboutCIS4}),
	benchmark(Benchmark{
		ID: CIS70, Title: titleCIS, Version: "7.0",
		About: aboutCIS4 + " 7.0 asks for central management of root (2.1.1). It no longer limits users to one active " +
			"key, and no longer forbids keys that are created at set-up.",
	}),
	benchmark(Benchmark{
		ID: FSBP, Title: "AWS Foundational Security Best Practices", Version: "1.0.0",
		About: "The standard of AWS Security Hub, with its severities. Keys of root are not judged by their age, as " +
			"AWS Config does not. " +
			"Whether root has MFA at all (IAM.9) is not in it.",
		Severities: map[ControlID]Severity{ConsoleMFA: Medium},
	}, unused90, func(p *Params) { p.KeyAgeRoot = false }),
	benchmark(Benchmark{
		ID: PCI401, Title: "PCI DSS", Version: "4.0.1",
		About: aboutMap +
			" 8.2.6 asks for 90 days in its own words; 8.3.9 limits passwords to 90 days where they are the " +
			"only factor.",
	}, unused90, passwords90),
	benchmark(Benchmark{ID: NIST53, Title: "NIST SP 800-53", Version: "r5", About: aboutMap}, unused90),
	benchmark(Benchmark{ID: ISO, Title: "ISO/IEC 27001", Version: "2022", About: aboutMap}),
	benchmark(Benchmark{ID: SOC2, Title: "SOC 2 Trust Services Criteria", Version: "2017", About: aboutMap}),
	benchmark(Benchmark{
		ID: Strict, Title: "Rollcall strict", Version: "1",
		About: "Every control, with the tightest thresholds of all benchmarks here.",
	}, passwords90, func(p *Params) { p.ReportMaxAgeHours = 4 }),
}

const (
	aboutCIS14 = "Unused credentials count from 45 days on."
	aboutCIS4  = aboutCIS14 + " From 4.0 on CIS wants a person to judge root's hardware MFA, the use of root and " +
		"keys created at set-up: " +
		"what the report shows of them is judged anyway."
)

func unused90(p *Params) { p.UnusedDays = 90 }

func passwords90(p *Params) { p.PasswordMaxAgeDays, p.PasswordAgeSoleFactor = 90, true }

// benchmark completes b with the controls that have a requirement of its
// standard, and with the controls that judge the evidence.
func benchmark(b Benchmark, change ...func(*Params)) *Benchmark {
	b.Params = DefaultParams()
	for _, f := range change {
		f(&b.Params)
	}
	for _, r := range rules {
		c := &r.control
		always := b.ID == Strict || c.ID == MoreCredentials || c.ID == Evidence
		if r.on != onChange && (always || c.Serves(b.ID)) {
			b.Controls = append(b.Controls, c.ID)
		}
	}
	return &b
}

// Serves reports whether the control has a requirement of the standard.
func (c *Control) Serves(standard Standard) bool {
	for _, r := range c.Requirements {
		if r.Standard == standard {
			return true
		}
	}
	return false
}

// RequirementIDs returns the names of the control in a standard.
func (c *Control) RequirementIDs(standard Standard) []string {
	var ids []string
	for _, r := range c.Requirements {
		if r.Standard == standard {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// Benchmarks returns every benchmark, in order. The benchmarks are shared.
// Callers must not change them.
func Benchmarks() []*Benchmark { return append([]*Benchmark(nil), benchmarks...) }

// With returns the benchmark with the controls of a configuration added at the
// end.
func (b *Benchmark) With(c *Config) *Benchmark {
	if len(c.own) == 0 {
		return b
	}
	more := *b
	more.own = c.own
	more.Controls = slices.Clone(b.Controls)
	for _, r := range c.own {
		more.Controls = append(more.Controls, r.control.ID)
	}
	return &more
}

// ControlList returns the controls of the benchmark, in order.
func (b *Benchmark) ControlList() []*Control {
	var all []*Control
	for _, id := range b.Controls {
		if r := b.rule(id); r != nil {
			all = append(all, &r.control)
		}
	}
	return all
}

// FindControl returns a built-in control or a custom control of the benchmark by
// its id or name, in any letter case.
func (b *Benchmark) FindControl(idOrName string) (*Control, bool) {
	for _, r := range b.own {
		if r.control.Named(idOrName) {
			return &r.control, true
		}
	}
	return FindControl(idOrName)
}

func (b *Benchmark) rule(id ControlID) *rule {
	for _, r := range b.own {
		if r.control.ID == id {
			return &r.rule
		}
	}
	return findRule(id)
}

// BenchmarkIDs returns the ids of all benchmarks, in order.
func BenchmarkIDs() []string {
	var ids []string
	for _, b := range benchmarks {
		ids = append(ids, string(b.ID))
	}
	return ids
}

// FindBenchmark returns a benchmark by its id, in any letter case.
func FindBenchmark(id Standard) (*Benchmark, bool) {
	for _, b := range benchmarks {
		if strings.EqualFold(string(b.ID), string(id)) {
			return b, true
		}
	}
	return nil, false
}

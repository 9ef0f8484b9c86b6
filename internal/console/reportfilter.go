package console

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"rollcall/internal/audit"
	"rollcall/internal/judged"
	"rollcall/report"
)

// choice is a list with a selected value.
type choice struct {
	Name, Label string
	Options     []option
}

type option struct {
	Value, Text string
	Chosen      bool
}

// chip is a filter that has no field, with the address that removes it.
type chip struct{ Text, Without string }

// tableForm holds the filters and the order in the query.
type tableForm struct {
	benchmark *audit.Benchmark
	query     judged.Query
	columns   []report.Column
	page      int
}

var (
	matches = []option{{"", "name and path", false}, {"prefix", "beginning of the name", false}}
	classes = []option{
		{"", "anybody", false},
		{"human", "people", false},
		{"machine", "machines", false},
		{"break-glass", "break-glass", false},
		{"root", "root", false},
		{"unknown", "unknown", false},
	}
	mfas = []option{
		{"", "any", false},
		{"console", "with a password", false},
		{"yes", "with a password and MFA", false},
		{"no", "with a password, no MFA", false},
	}
	keys     = []option{{"", "any", false}, {"active", "active", false}, {"inactive", "inactive", false}}
	statuses = []option{
		{"", "any", false}, {"found", "any finding", false}, {"FAIL", "FAIL", false}, {"NO_DATA", "NO DATA", false},
		{"WARN", "WARN", false}, {"MANUAL", "MANUAL", false}, {"excused", "excused", false},
		{"none", "no finding", false},
	}
)

// tableForm reads the query.
func (v *visit) tableForm() (f tableForm, err error) {
	if f.benchmark, err = v.benchmark(); err != nil {
		return f, err
	}
	q := &f.query
	q.Text, q.Prefix = v.query("q"), v.query("match") == "prefix"
	q.Control, q.Sort, q.Turned = audit.ControlID(v.query("control")), v.query("sort"), v.query("turned") != ""
	for _, one := range []struct {
		to   *string
		name string
		of   []option
	}{
		{&q.Class, "class", classes}, {&q.MFA, "mfa", mfas}, {&q.Keys, "keys", keys}, {&q.Status, "status", statuses},
		{&q.Severity, "severity", severities()},
	} {
		if *one.to, err = v.oneOf(one.name, one.of); err != nil {
			return f, err
		}
	}
	for _, one := range []struct {
		to   *int
		name string
		most int
	}{
		{&q.Age, "age", len(audit.KeyAgeLimits) + 1}, {&q.Idle, "idle", len(audit.KeyIdleLimits) + 2},
		{&f.page, "page", maxRows},
	} {
		if *one.to, err = v.number(one.name, one.most); err != nil {
			return f, err
		}
	}
	f.page = max(1, f.page)
	f.columns = v.columns()
	return f, nil
}

func severities() []option {
	all := []option{{}}
	for s := range audit.Severity(audit.NumSeverities) {
		all = append(all, option{Value: s.String(), Text: s.String()})
	}
	return all
}

func (v *visit) oneOf(name string, of []option) (string, error) {
	value := v.query(name)
	if !slices.ContainsFunc(of, func(o option) bool { return o.Value == value }) {
		return "", &problem{Status: http.StatusBadRequest, Text: fmt.Sprintf("%s cannot be %s.", name, value)}
	}
	return value, nil
}

func (v *visit) number(name string, most int) (int, error) {
	text := v.query(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, &problem{Status: http.StatusBadRequest, Text: fmt.Sprintf("%s is a number from 1 to %d.", name, most)}
	}
	return n, nil
}

func chooseFrom(name, label, chosen string, of []option) choice {
	c := choice{Name: name, Label: label, Options: slices.Clone(of)}
	for i := range c.Options {
		c.Options[i].Chosen = c.Options[i].Value == chosen
	}
	return c
}

func (v *visit) filters(f *tableForm) []choice {
	q := &f.query
	match := ""
	if q.Prefix {
		match = "prefix"
	}
	controls := []option{{"", "any", false}}
	for _, c := range f.benchmark.ControlList() {
		controls = append(controls, option{string(c.ID), string(c.ID) + " " + c.Title, false})
	}
	return []choice{
		chooseFrom("match", "Search in", match, matches),
		chooseFrom("class", "Users", q.Class, classes),
		chooseFrom("mfa", "Console", q.MFA, mfas),
		chooseFrom("keys", "Keys", q.Keys, keys),
		chooseFrom("status", "Verdict", q.Status, statuses),
		chooseFrom("control", "Control", string(q.Control), controls),
		v.benchmarks(f.benchmark),
	}
}

// benchmarks returns the choice of a benchmark.
func (v *visit) benchmarks(chosen *audit.Benchmark) choice {
	var all []option
	for _, b := range audit.Benchmarks() {
		value := string(b.ID)
		if b.ID == v.standard.ID {
			value = ""
		}
		all = append(all, option{value, string(b.ID), b.ID == chosen.ID})
	}
	return choice{Name: "benchmark", Label: "Benchmark", Options: all}
}

// keep returns the query parameters for which the form has no fields.
func (v *visit) keep() (all []pair) {
	for _, name := range []string{"at", "severity", "age", "idle", "sort", "turned"} {
		if value := v.query(name); value != "" {
			all = append(all, pair{name, value})
		}
	}
	return all
}

// clear returns the address without filters, "" if there are none.
func (v *visit) clear() string {
	q, some := v.r.URL.Query(), false
	for _, name := range []string{
		"q", "match", "class", "mfa", "keys", "status", "control", "severity", "age", "idle", "page",
	} {
		some = some || q.Get(name) != "" && name != "page" && name != "match"
		q.Del(name)
	}
	if !some {
		return ""
	}
	return address(v.r.URL.Path, q)
}

func (v *visit) chips(q *judged.Query) (all []chip) {
	if q.Age > 0 {
		all = append(all, chip{"key " + keyAgeNames()[q.Age-1] + " old", v.with("age", "", "page", "")})
	}
	if q.Idle > 0 {
		all = append(all, chip{"key " + keyIdleNames()[q.Idle-1], v.with("idle", "", "page", "")})
	}
	if q.Severity != "" {
		all = append(all, chip{"severity " + q.Severity, v.with("severity", "", "page", "")})
	}
	return all
}

// keyAgeNames and keyIdleNames return the ranges of audit.Stats.KeyAges in
// words.
func keyAgeNames() (names []string) {
	low := 0
	for _, limit := range audit.KeyAgeLimits {
		names = append(names, fmt.Sprintf("%d–%d days", low, limit))
		low = limit + 1
	}
	return append(names, fmt.Sprintf("over %d days", low-1))
}

func keyIdleNames() []string {
	a, b := audit.KeyIdleLimits[0], audit.KeyIdleLimits[1]
	return []string{
		fmt.Sprintf("used within %d days", a), fmt.Sprintf("used %d–%d days ago", a+1, b),
		fmt.Sprintf("used over %d days ago", b), "never used",
	}
}

package audit_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/audit"
	"rollcall/report"
)

func paramNames() []string {
	var names []string
	for field := range reflect.TypeFor[audit.Params]().Fields() {
		names = append(names, field.Tag.Get("yaml"))
	}
	return names
}

var inBraces = regexp.MustCompile(`\{([^}]*)\}`)

func TestControls(t *testing.T) {
	var ids []string
	names := map[string]bool{}
	for _, c := range audit.Controls() {
		ids = append(ids, string(c.ID))
		if names[c.Name] || !regexp.MustCompile(`^[a-z]+(-[a-z]+)+$|^evidence$`).MatchString(c.Name) {
			t.Errorf("%s: name %q", c.ID, c.Name)
		}
		names[c.Name] = true
		for what, text := range map[string]string{
			"title": c.Title, "description": c.Description, "remediation": c.Remediation, "rule": c.Rule,
			"subject": string(c.Subject),
		} {
			if text == "" || strings.ContainsAny(text, "\n\t") {
				t.Errorf("%s: %s is %q", c.ID, what, text)
			}
		}
		if strings.HasSuffix(c.Title, ".") || !strings.HasSuffix(c.Rule, ".") ||
			!strings.HasSuffix(c.Remediation, ".") {
			t.Errorf("%s: full stops in title, rule or remediation", c.ID)
		}
		if len(c.Columns) == 0 || len(c.Absent) == 0 || len(c.Sources) == 0 {
			t.Errorf("%s: columns, absent values or sources are missing", c.ID)
		}
		for _, column := range c.Columns {
			if !report.Columns23.Has(column) {
				t.Errorf("%s: no report has a column %q", c.ID, column)
			}
		}
		var used []string
		for _, m := range inBraces.FindAllStringSubmatch(c.Rule, -1) {
			used = append(used, m[1])
		}
		want := slices.Clone(c.Params)
		if c.ID == audit.PasswordAge { // it names the second without braces
			want = want[:1]
		}
		if diff := cmp.Diff(want, used); diff != "" && len(want)+len(used) > 0 {
			t.Errorf("%s: thresholds, -params +rule:\n%s", c.ID, diff)
		}
		for _, name := range c.Params {
			if !slices.Contains(paramNames(), name) {
				t.Errorf("%s: there is no threshold %q", c.ID, name)
			}
		}
		byID, ok := audit.FindControl(strings.ToLower(string(c.ID)))
		byName, ok2 := audit.FindControl(c.Name)
		if !ok || !ok2 || byID != c || byName != c {
			t.Errorf("%s: is not found by id and name", c.ID)
		}
	}
	want := strings.Fields("C1 C1b C2 C3 C4 C5 C6 C7 C8 C9 C10 C11 C12 C13 C14 C15 C16 C17 C18 C19 C20")
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("controls, -want +got:\n%s", diff)
	}
	if _, ok := audit.FindControl("C21"); ok {
		t.Error("C21 is found")
	}
}

// TestEveryThresholdIsUsed checks that a control uses each threshold.
func TestEveryThresholdIsUsed(t *testing.T) {
	for _, name := range paramNames() {
		if !slices.ContainsFunc(audit.Controls(), func(c *audit.Control) bool {
			return slices.Contains(c.Params, name)
		}) {
			t.Errorf("no control uses %s", name)
		}
	}
}

func TestBenchmarks(t *testing.T) {
	const evidence = " C17 C19"
	want := []struct {
		id       audit.Standard
		controls string
		unused   int
	}{
		{audit.CIS12, "C1 C1b C2 C3 C4 C5 C7 C8 C9 C11" + evidence, 90},
		{audit.CIS14, "C1 C1b C2 C3 C4 C5 C7 C8 C9 C10 C11" + evidence, 45},
		{audit.CIS15, "C1 C1b C2 C3 C4 C5 C7 C8 C9 C10 C11" + evidence, 45},
		{audit.CIS20, "C1 C1b C2 C3 C4 C5 C7 C8 C9 C10 C11" + evidence, 45},
		{audit.CIS30, "C1 C1b C2 C3 C4 C5 C7 C8 C9 C10 C11" + evidence, 45},
		{audit.CIS401, "C1 C1b C2 C3 C4 C5 C7 C8 C9 C10 C11" + evidence, 45},
		{audit.CIS50, "C1 C1b C2 C3 C4 C5 C7 C8 C9 C10 C11" + evidence, 45},
		{audit.CIS60, "C1 C1b C2 C3 C4 C5 C7 C8 C9 C10 C11" + evidence, 45},
		{audit.CIS70, "C1 C1b C2 C3 C4 C5 C7 C8 C9 C17 C18 C19", 45},
		{audit.FSBP, "C1 C3 C5 C7 C8 C9" + evidence, 90},
		{audit.PCI401, "C1 C1b C2 C3 C4 C5 C6 C7 C8 C9 C12 C14 C15 C17 C18 C19", 90},
		{audit.NIST53, "C1 C1b C2 C3 C4 C5 C6 C7 C8 C9 C10 C11 C12 C13 C14 C15 C16 C17 C18 C19", 90},
		{audit.ISO, "C1 C1b C2 C3 C4 C5 C6 C7 C8 C9 C10 C12 C13 C14 C15 C17 C18 C19", 45},
		{audit.SOC2, "C1 C1b C2 C3 C4 C5 C6 C7 C8 C9 C10 C12 C14 C15 C17 C18 C19", 45},
		{audit.Strict, "C1 C1b C2 C3 C4 C5 C6 C7 C8 C9 C10 C11 C12 C13 C14 C15 C16 C17 C18 C19", 45},
	}
	var ids []audit.Standard
	for _, b := range audit.Benchmarks() {
		ids = append(ids, b.ID)
	}
	var wantIDs []audit.Standard
	for _, w := range want {
		wantIDs = append(wantIDs, w.id)
		b := mustBenchmark(t, w.id)
		var controls []string
		for _, id := range b.Controls {
			controls = append(controls, string(id))
		}
		if got := strings.Join(controls, " "); got != w.controls {
			t.Errorf("%s has\n%s, want\n%s", w.id, got, w.controls)
		}
		if b.Params.UnusedDays != w.unused || b.Params.KeyMaxAgeDays != 90 {
			t.Errorf("%s: unused %d, key age %d", w.id, b.Params.UnusedDays, b.Params.KeyMaxAgeDays)
		}
		if b.Title == "" || b.Version == "" || b.About == "" {
			t.Errorf("%s: title, version or about is missing", w.id)
		}
	}
	if diff := cmp.Diff(wantIDs, ids); diff != "" {
		t.Errorf("benchmarks, -want +got:\n%s", diff)
	}
}

// TestRequirementIDs checks the form of the ids, and that no control has one
// twice.
func TestRequirementIDs(t *testing.T) {
	forms := map[audit.Standard]*regexp.Regexp{
		audit.FSBP: regexp.MustCompile(`^IAM\.\d+$`), audit.SecurityHub: regexp.MustCompile(`^IAM\.\d+$`),
		audit.PCI401: regexp.MustCompile(`^\d\.\d\.\d+$`),
		audit.NIST53: regexp.MustCompile(`^[A-Z]{2}-\d+(\((\d+|j)\))?$`),
		audit.ISO:    regexp.MustCompile(`^A\.[58]\.\d+$`), audit.SOC2: regexp.MustCompile(`^CC\d\.\d$`),
	}
	for _, c := range audit.Controls() {
		seen := map[audit.Requirement]bool{}
		for _, r := range c.Requirements {
			form := forms[r.Standard]
			if strings.HasPrefix(string(r.Standard), "cis-") {
				form = regexp.MustCompile(`^[12]\.\d+(\.\d+)?$`)
			}
			if form == nil || !form.MatchString(r.ID) {
				t.Errorf("%s: %s %q", c.ID, r.Standard, r.ID)
			}
			if seen[r] {
				t.Errorf("%s: %s %s occurs twice", c.ID, r.Standard, r.ID)
			}
			seen[r] = true
			if r.Manual != (strings.HasPrefix(string(r.Standard), "cis-") && r.Standard >= audit.CIS401 &&
				(c.ID == "C3" || c.ID == "C4" || c.ID == "C11")) {
				t.Errorf("%s: %s %s manual is %v", c.ID, r.Standard, r.ID, r.Manual)
			}
		}
	}
}

func TestSeverities(t *testing.T) {
	want := map[audit.ControlID]audit.Severity{
		"C1": audit.Critical, "C1b": audit.High, "C2": audit.Critical, "C3": audit.Critical,
		"C4": audit.High, "C5": audit.High,
		"C6": audit.Low, "C7": audit.Medium, "C8": audit.Medium, "C9": audit.Medium,
		"C10": audit.Medium, "C11": audit.Low,
		"C12": audit.Low, "C13": audit.Low, "C14": audit.Low, "C15": audit.Low, "C16": audit.Low,
		"C17": audit.Info, "C18": audit.Medium,
		"C19": audit.Info, "C20": audit.Info,
	}
	fsbp := mustBenchmark(t, audit.FSBP)
	for _, c := range audit.Controls() {
		if c.Severity != want[c.ID] {
			t.Errorf("%s is %s, want %s", c.ID, c.Severity, want[c.ID])
		}
		wantFSBP := c.Severity
		if c.ID == audit.ConsoleMFA { // Security Hub's severity
			wantFSBP = audit.Medium
		}
		if got := fsbp.Severity(c); got != wantFSBP {
			t.Errorf("%s in fsbp is %s, want %s", c.ID, got, wantFSBP)
		}
	}
}

func TestEvents(t *testing.T) {
	kinds := map[audit.EventKind]bool{}
	last := audit.Critical
	for _, e := range audit.Events() {
		if kinds[e.Kind] || e.Title == "" || e.Rule == "" || e.Severity > last {
			t.Errorf("event %+v", e)
		}
		kinds[e.Kind] = true
		last = e.Severity
	}
	for _, kind := range []audit.EventKind{
		audit.KeyAdded, audit.KeyReactivated, audit.KeyRemoved, audit.PasswordAddedMachine,
		audit.MFALost, audit.RootUseSeen,
		audit.LastUsedRegion, audit.LastUsedService, audit.UserGone,
	} {
		if !kinds[kind] {
			t.Errorf("there is no event %s", kind)
		}
	}
}

func TestNames(t *testing.T) {
	for s := range audit.Status(audit.NumStatuses) {
		text, _ := s.MarshalText()
		var back audit.Status
		if err := back.UnmarshalText(text); err != nil || back != s {
			t.Errorf("%s reads back as %s, %v", s, back, err)
		}
	}
	for s := range audit.Severity(audit.NumSeverities) {
		text, _ := s.MarshalText()
		var back audit.Severity
		if err := back.UnmarshalText(text); err != nil || back != s {
			t.Errorf("%s reads back as %s, %v", s, back, err)
		}
	}
	if _, err := audit.ParseStatus("pass"); err == nil {
		t.Error("pass is read as a status")
	}
	if _, err := audit.ParseSeverity("HIGH"); err == nil {
		t.Error("HIGH is read as a severity")
	}
	var zero audit.Status
	if zero != audit.NoData {
		t.Error("the zero Status is not NO_DATA")
	}
}

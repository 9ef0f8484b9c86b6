package audit_test

import (
	"fmt"
	"strings"
	"testing"

	"rollcall/internal/audit"
	"rollcall/report"
)

// unknown are cells without information, by description.
var unknown = map[string]string{"unreadable": "maybe", "empty": "", "not supported": "not_supported"}

// values returns the possible values of a column, for each kind of column.
func values(column string) []string {
	switch {
	case strings.HasSuffix(column, "_active"), column == "password_enabled":
		return []string{"true", "false"}
	case column == "additional_credentials_info":
		return []string{"N/A", "2 more"}
	}
	all := []string{"N/A", "no_information"}
	for _, days := range []int{0, 1, 20, 50, 100, 400} {
		all = append(all, daysAgo(days).String())
	}
	return all
}

// means are the cells of unknown that have a special meaning in a column.
var means = map[string]string{
	"password_last_changed":  "not_supported", // the user's creation time counts
	"password_next_rotation": "not_supported", // passwords do not expire
	"password_last_used":     "not_supported", // for root, in old reports
}

// cleanRows returns rows without findings, each of another kind, as cells by
// column.
func cleanRows() map[string]map[string]string {
	plain := func(change func(*report.Row)) map[string]string {
		row := userRow("123456789012", "bo")
		row.Created, row.MFAActive = daysAgo(300), report.True
		change(&row)
		return cells(&row)
	}
	root := rootRow("123456789012")
	root.MFAActive = report.True
	return map[string]map[string]string{
		"root":   cells(&root),
		"nobody": plain(func(*report.Row) {}),
		"password": plain(func(r *report.Row) {
			r.PasswordEnabled, r.PasswordLastUsed, r.PasswordLastChanged = report.True, daysAgo(1), daysAgo(20)
		}),
		"password never used": plain(func(r *report.Row) {
			r.PasswordEnabled, r.PasswordLastUsed, r.PasswordLastChanged = report.True,
				report.None(report.NoInformation), daysAgo(5)
		}),
		"key in use": plain(func(r *report.Row) { *r = withKey(*r, 0, 20, 1) }),
		"newer key inactive": plain(func(r *report.Row) {
			*r = withKey(withKey(*r, 0, 5, 0), 1, 30, 1)
			r.Keys[0].Active = report.False
		}),
		"certificate": plain(func(r *report.Row) {
			r.Certificates[0] = report.Certificate{Active: report.True, LastRotated: daysAgo(10)}
		}),
	}
}

func cells(row *report.Row) map[string]string {
	all := map[string]string{}
	for _, name := range report.Columns23.Names() {
		all[name], _ = row.Cell(name)
	}
	return all
}

// statusesOf audits a report with one relevant row. loud are the controls with
// a FAIL or WARN for it. judged are the controls with a verdict other than PASS
// and NOT_APPLICABLE.
func statusesOf(
	t *testing.T, a *audit.Auditor, columns []string, row map[string]string,
) (loud, judged map[audit.ControlID]bool) {
	t.Helper()
	var file strings.Builder
	write := func(row map[string]string) {
		line := make([]string, len(columns))
		for i, name := range columns {
			line[i] = row[name]
		}
		file.WriteString(strings.Join(line, ",") + "\n")
	}
	file.WriteString(strings.Join(columns, ",") + "\n")
	if row["user"] != report.RootUser {
		root := rootRow("123456789012")
		write(cells(&root))
	}
	write(row)
	_, findings := mustAudit(t, a, []byte(file.String()), audit.Source{Generated: asOf, Fetched: asOf})
	loud, judged = map[audit.ControlID]bool{}, map[audit.ControlID]bool{}
	for _, f := range findings {
		if f.User != row["user"] {
			continue
		}
		loud[f.Control.ID] = loud[f.Control.ID] || f.Status == audit.Fail || f.Status == audit.Warn
		judged[f.Control.ID] = judged[f.Control.ID] || f.Status != audit.Pass && f.Status != audit.NotApplicable
	}
	return loud, judged
}

// TestUnknownNeverPasses removes every fact of rows of many kinds, in every way
// in which it can be missing. Then no control may pass that some value of that
// fact would break.
func TestUnknownNeverPasses(t *testing.T) {
	a := newAuditor(t, audit.Options{Benchmark: mustBenchmark(t, audit.Strict), Statuses: audit.AllStatuses})
	all := report.Columns23.Names()
	tried := 0
	for kind, row := range cleanRows() {
		for _, column := range all[2:] {
			if key, ok := strings.CutSuffix(column, "_last_used_date"); ok && row[key+"_last_rotated"] == "N/A" {
				continue // a key that does not exist has no use
			}
			could := map[audit.ControlID]string{}
			for _, value := range values(column) {
				loud, _ := statusesOf(t, a, all, with(row, column, value))
				for id, is := range loud {
					if is {
						could[id] = value
					}
				}
			}
			check := func(how string, columns []string, row map[string]string) {
				_, judged := statusesOf(t, a, columns, row)
				for id, value := range could {
					tried++
					if !judged[id] {
						t.Errorf("%s: %s is satisfied with %s %s, and is broken where it is %s",
							kind, id, column, how, value)
					}
				}
			}
			if column != "additional_credentials_info" { // most reports lack it, so nothing follows
				var rest []string
				for _, name := range all {
					if name != column {
						rest = append(rest, name)
					}
				}
				check("missing", rest, row)
			}
			for how, cell := range unknown {
				if means[column] != cell && (column != "additional_credentials_info" || cell != "") {
					check(how, all, with(row, column, cell))
				}
			}
		}
	}
	if tried < 200 {
		t.Errorf("only %d verdicts were compared", tried)
	}
}

func with(row map[string]string, column, value string) map[string]string {
	changed := map[string]string{}
	for name, cell := range row {
		changed[name] = cell
	}
	changed[column] = value
	return changed
}

// TestUnknownFactsNeverPass does the same with facts beyond the report.
func TestUnknownFactsNeverPass(t *testing.T) {
	row := rootRow("123456789012")
	row.MFAActive = report.True
	old := userRow("123456789012", "bo")
	old.Created = daysAgo(900)
	created, _ := old.Created.Value()
	for name, facts := range map[string]*audit.Enrichment{
		"not asked":                           nil,
		"of nothing":                          {},
		"of nobody":                           {Users: map[string]audit.UserFacts{}},
		"of others":                           {Users: map[string]audit.UserFacts{"amy": {Created: created}}},
		"of the user, and not of credentials": {Users: map[string]audit.UserFacts{"bo": {Created: created}}},
		"of another user of that name": {
			Users: map[string]audit.UserFacts{
				"bo": {Created: created.AddDate(0, 0, 1),
					ServiceCredentials: []audit.ServiceCredentialFact{{Active: true}}}}},
		"of inactive credentials": {
			Users: map[string]audit.UserFacts{
				"bo": {Created: created, ServiceCredentials: []audit.ServiceCredentialFact{{ID: "x"}}}}},
		"of which some are missing": {RootVirtualMFA: audit.No, Missing: map[string]string{
			audit.MFAFacts: "denied", audit.ServiceCredentialFacts: "denied"}},
	} {
		a := newAuditor(t, audit.Options{Benchmark: mustBenchmark(t, audit.Strict), Statuses: audit.AllStatuses})
		got := map[audit.ControlID]audit.Status{}
		_, err := a.Audit(t.Context(), strings.NewReader(string(csvOf(t, row, old))),
			audit.Source{Generated: asOf, Fetched: asOf}, facts, func(r *audit.Row) error {
				for _, f := range r.Findings {
					got[f.Control.ID] = min(got[f.Control.ID], f.Status)
					if f.Control.ID == audit.RootHardwareMFA || f.Control.ID == audit.CentralRoot ||
						f.Control.ID == audit.LeftoverUser {
						if f.Status == audit.Pass && (f.Control.ID != audit.LeftoverUser || f.User == "bo") {
							t.Errorf("facts %s: %s is %v: %s", name, f.Control.ID, f.Status, f.Reason)
						}
					}
				}
				return nil
			})
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []audit.ControlID{audit.RootHardwareMFA, audit.CentralRoot, audit.LeftoverUser} {
			if _, ok := got[id]; !ok {
				t.Error(fmt.Sprint(id, " was not judged"))
			}
		}
	}
}

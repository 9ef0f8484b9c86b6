package audit_test

import (
	"strings"
	"testing"

	"rollcall/internal/audit"
	"rollcall/report"
)

const (
	usGovRoot = "<root_account>,arn:aws-us-gov:iam::123456789012:root,2020-01-01T00:00:00Z,not_supported," +
		"no_information,not_supported,not_supported,false"
	eight = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed," +
		"password_next_rotation,mfa_active"
	twelve = eight + ",access_key_1_active,access_key_1_last_rotated,access_key_2_active,access_key_2_last_rotated"
	keys   = "user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active,access_key_1_last_rotated," +
		"access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date"
)

// TestShapes judges reports with shapes from real accounts.
func TestShapes(t *testing.T) {
	old, young, used := daysAgo(400).String(), daysAgo(10).String(), daysAgo(1).String()
	user := func(cells ...string) string {
		return "bo,arn:aws:iam::123456789012:user/bo," + strings.Join(cells, ",")
	}
	for name, test := range map[string]struct {
		file string
		user string
		want map[audit.ControlID]audit.Status
	}{
		"root of GovCloud": {eight + "\n" + usGovRoot, report.RootUser, map[audit.ControlID]audit.Status{
			audit.RootMFA: audit.NotApplicable, audit.RootHardwareMFA: audit.NotApplicable,
			audit.RootActiveKey: audit.NoData,
		}},
		"newer key in slot 1, inactive": {keys + "\n" + user(old, "false", "true", "false", young, "N/A", "true", old,
			used), "bo", map[audit.ControlID]audit.Status{
			audit.KeyAge: audit.Fail, audit.KeyUnused: audit.Pass, audit.OneActiveKey: audit.Pass,
			audit.LeftoverKey: audit.Pass,
		}},
		"TRUE and FALSE": {keys + "\n" + user(old, "TRUE", "FALSE", "FALSE", "N/A", "n/a", "True", young, used), "bo",
			map[audit.ControlID]audit.Status{
				audit.ConsoleMFA: audit.Fail, audit.KeyAge: audit.Pass, audit.HumanAndMachine: audit.Warn,
			}},
		"dates by Excel": {keys + "\n" + user("1/2/2025 10:00", "false", "true", "true", "2/3/2025 10:00",
			"11/1/2026 8:00", "false", "N/A", "N/A"), "bo", map[audit.ControlID]audit.Status{
			audit.KeyAge: audit.NoData, audit.KeyUnused: audit.NoData, audit.OneActiveKey: audit.Pass,
		}},
		"eight columns": {eight + "\n" + user(old, "true", used, young, "N/A", "true"), "bo",
			map[audit.ControlID]audit.Status{
				audit.ConsoleMFA: audit.Pass, audit.KeyAge: audit.NoData, audit.KeyUnused: audit.NoData,
				audit.OneActiveKey: audit.NoData,
				audit.LeftoverKey:  audit.NoData, audit.SigningCertificate: audit.NoData,
				audit.HumanAndMachine: audit.NoData,
			}},
		"twelve columns": {twelve + "\n" + user(old, "false", "N/A", "N/A", "N/A", "true", "true", young, "false",
			"N/A"), "bo", map[audit.ControlID]audit.Status{
			audit.KeyAge: audit.Pass, audit.KeyUnused: audit.NoData, audit.OneActiveKey: audit.Pass,
			audit.SigningCertificate: audit.NoData,
		}},
		"blank lines and quotes": {"\n\"" + strings.ReplaceAll(eight, ",", `","`) + "\"\r\n\r\n" +
			`"` + strings.ReplaceAll(user(old, "true", used, young, "N/A", "false"), ",", `","`) + "\"\r\n\n", "bo",
			map[audit.ControlID]audit.Status{
				audit.ConsoleMFA: audit.Fail,
			}},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAuditor(t, audit.Options{Benchmark: mustBenchmark(t, audit.Strict), Statuses: audit.AllStatuses})
			_, findings := mustAudit(t, a, []byte(test.file), audit.Source{Generated: asOf, Fetched: asOf})
			got := map[audit.ControlID]audit.Status{}
			for _, f := range findings {
				if f.User != test.user {
					continue
				}
				if was, ok := got[f.Control.ID]; !ok || f.Status < was {
					got[f.Control.ID] = f.Status
				}
			}
			for id, want := range test.want {
				if got[id] != want {
					t.Errorf("%s is %v, want %v", id, got[id], want)
				}
			}
		})
	}
}

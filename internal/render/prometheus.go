package render

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/escape"
	"rollcall/report"
)

// prometheusText writes gauges in Prometheus' text format, for the textfile
// collector of its node exporter. The series are for accounts and not for
// users.
type prometheusText struct{ late }

func newPrometheus(b *bufio.Writer, o *Options) Output { return prometheusText{late{b, o}} }

func (p prometheusText) Close(s *audit.Summary) error {
	p.gauge("rollcall_audit_info", "The benchmark and the program of the audit.")
	p.value("rollcall_audit_info", labels{"benchmark", string(s.Benchmark.ID), "version", p.o.Version}, 1)
	p.gauge("rollcall_audit_timestamp_seconds", "When the audit took place.")
	p.value("rollcall_audit_timestamp_seconds", nil, float64(p.o.Now.Unix()))
	p.gauge("rollcall_audit_complete", "1 where everything could be judged, else 0.")
	p.value("rollcall_audit_complete", nil, zeroOne(Complete(s)))
	p.findings(s)
	for _, m := range accountMetrics {
		p.metric(s, m)
	}
	p.gauge("rollcall_exceptions", "Exceptions to findings, by their state.")
	states := map[audit.ExceptionState]int{}
	for _, use := range s.Exceptions {
		states[use.State]++
	}
	for _, state := range []audit.ExceptionState{audit.ExceptionActive, audit.ExceptionExpiring, audit.ExceptionExpired,
		audit.ExceptionUnmatched} {
		p.value("rollcall_exceptions", labels{"state", string(state)}, float64(states[state]))
	}
	return p.b.Flush()
}

// findings counts by account, control and status. FAIL, NO_DATA and WARN are
// present even if they are 0, so that an alert can end.
func (p prometheusText) findings(s *audit.Summary) {
	p.gauge("rollcall_audit_findings", "Findings that no exception excuses.")
	each(s, func(account labels, n *audit.ControlCounts) {
		severity := s.Benchmark.Severity(n.Control).String()
		for i := range audit.NumStatuses {
			status := audit.Status(i)
			if n.Statuses[i] == 0 && status > audit.Warn {
				continue
			}
			severity := severity
			if status == audit.Manual {
				severity = audit.Info.String()
			}
			p.value("rollcall_audit_findings", append(account[:len(account):len(account)],
				"control", string(n.Control.ID), "severity", severity, "status",
				status.String()), float64(n.Statuses[i]))
		}
	})
	p.gauge("rollcall_audit_controls",
		"Controls by outcome: the worst status that is not excused, or EXCUSED.")
	n, excused := s.Counts.Outcomes()
	for i := range audit.NumStatuses {
		p.value("rollcall_audit_controls", labels{"benchmark", string(s.Benchmark.ID), "outcome",
			audit.Status(i).String()}, float64(n[i]))
	}
	p.value("rollcall_audit_controls", labels{"benchmark", string(s.Benchmark.ID), "outcome", "EXCUSED"},
		float64(excused))
	p.gauge("rollcall_audit_control_info", "What the controls are called, and what the benchmark calls them.")
	for _, c := range s.Counts.Controls {
		p.value("rollcall_audit_control_info", labels{"control", string(c.Control.ID), "benchmark",
			string(s.Benchmark.ID),
			"requirements", strings.Join(c.Control.RequirementIDs(s.Benchmark.ID), " "), "title", c.Control.Title}, 1)
	}
	p.gauge("rollcall_audit_suppressed_findings", "Findings that an exception excuses.")
	each(s, func(account labels, n *audit.ControlCounts) {
		p.value("rollcall_audit_suppressed_findings",
			append(account[:len(account):len(account)], "control", string(n.Control.ID)), float64(n.Suppressed))
	})
}

func each(s *audit.Summary, do func(account labels, n *audit.ControlCounts)) {
	for _, a := range newest(s) {
		for i := range a.Counts.Controls {
			do(accountLabels(a), &a.Counts.Controls[i])
		}
	}
}

// newest returns the accounts, each with its newest report, because each series
// must be unique.
func newest(s *audit.Summary) []*audit.AccountSummary {
	var all []*audit.AccountSummary
	at := map[string]int{}
	for _, a := range s.Accounts {
		id := strings.Join(accountLabels(a), " ")
		i, twice := at[id]
		switch {
		case !twice:
			at[id] = len(all)
			all = append(all, a)
		case a.AsOf.After(all[i].AsOf):
			all[i] = a
		}
	}
	return all
}

func accountLabels(a *audit.AccountSummary) labels {
	return labels{"account", a.Source.Account, "partition", a.Source.Partition}
}

// accountMetric is a gauge of an account. value returns false if there is no
// value.
type accountMetric struct {
	name, help string
	missing    bool // also present for an account without a report
	value      func(a *audit.AccountSummary) (float64, bool)
}

var accountMetrics = []accountMetric{
	{"rollcall_account_complete", "1 where everything in the account could be judged, else 0.", true,
		func(a *audit.AccountSummary) (float64, bool) { return zeroOne(!a.Incomplete()), true }},
	{"rollcall_report_missing", "1 where no report of the account could be had, else 0.", true,
		func(a *audit.AccountSummary) (float64, bool) { return zeroOne(a.Missing), true }},
	{"rollcall_report_stale", "1 where the report was older than it may be, else 0.", false,
		func(a *audit.AccountSummary) (float64, bool) { return zeroOne(a.Stale), true }},
	{"rollcall_report_problems", "What keeps the audit of the account from being complete.", true,
		func(a *audit.AccountSummary) (float64, bool) { return float64(a.ProblemCount), true }},
	{"rollcall_report_generated_timestamp_seconds", "When the report was generated.", false,
		func(a *audit.AccountSummary) (float64, bool) { return unix(a.Source.Generated) }},
	{"rollcall_report_as_of_timestamp_seconds", "The moment for which the report was judged.", false,
		func(a *audit.AccountSummary) (float64, bool) { return unix(a.AsOf) }},
	gauge("rollcall_users", "IAM users.", func(t *audit.Stats) int { return t.Users }),
	gauge("rollcall_console_users", "IAM users with a password.", func(t *audit.Stats) int { return t.ConsoleUsers }),
	gauge("rollcall_console_users_mfa", "IAM users with a password and MFA.", func(t *audit.Stats) int {
		return t.ConsoleUsersMFA
	}),
	gauge("rollcall_active_keys", "Active access keys, those of root included.", func(t *audit.Stats) int {
		return t.ActiveKeys
	}),
	gauge("rollcall_inactive_keys", "Inactive access keys.", func(t *audit.Stats) int { return t.InactiveKeys }),
	gauge("rollcall_active_certificates", "Active signing certificates.", func(t *audit.Stats) int {
		return t.ActiveCertificates
	}),
	gauge("rollcall_unused_credentials", "Passwords and keys unused for longer than the benchmark allows.",
		func(t *audit.Stats) int { return t.UnusedCredentials }),
	{"rollcall_root_active_keys", "Active access keys of root, absent where the report does not say.", false,
		func(a *audit.AccountSummary) (float64, bool) {
			root := &a.Stats.Root
			return float64(root.Keys), root.Keys > 0 || root.Seen && root.UntoldKeys == 0
		}},
	gauge("rollcall_untold_console_users", "IAM users who may have a password, or MFA: the report does not say.",
		func(t *audit.Stats) int { return t.Untold.ConsoleUsers }),
	gauge("rollcall_untold_keys", "Access keys that may be active: the report does not say.",
		func(t *audit.Stats) int { return t.Untold.Keys }),
	{"rollcall_oldest_key_timestamp_seconds", "When the oldest active access key was created.", false,
		func(a *audit.AccountSummary) (float64, bool) { return unixOf(a.Stats.OldestKey) }},
	{"rollcall_root_last_used_timestamp_seconds", "The latest recorded use of root.", false,
		func(a *audit.AccountSummary) (float64, bool) { return unixOf(a.Stats.Root.LastUsed) }},
	{"rollcall_root_mfa", "1 where root has MFA, else 0.", false,
		func(a *audit.AccountSummary) (float64, bool) { return boolOf(a.Stats.Root.Seen, a.Stats.Root.MFA) }},
	{"rollcall_root_password", "1 where root has a password, else 0.", false,
		func(a *audit.AccountSummary) (float64, bool) { return boolOf(a.Stats.Root.Seen, a.Stats.Root.Password) }},
}

func gauge(name, help string, of func(*audit.Stats) int) accountMetric {
	return accountMetric{name, help, false, func(a *audit.AccountSummary) (float64, bool) {
		return float64(of(&a.Stats)), true
	}}
}

func zeroOne(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func unix(t time.Time) (float64, bool) { return float64(t.Unix()), !t.IsZero() }

func unixOf(t report.Time) (float64, bool) {
	sec, ok := t.Unix()
	return float64(sec), ok
}

func boolOf(seen bool, b report.Bool) (float64, bool) {
	return zeroOne(b.IsTrue()), seen && (b.IsTrue() || b.IsFalse())
}

func (p prometheusText) metric(s *audit.Summary, m accountMetric) {
	told := false
	for _, a := range newest(s) {
		v, ok := m.value(a)
		if !ok || a.Missing && !m.missing {
			continue
		}
		if !told {
			p.gauge(m.name, m.help)
			told = true
		}
		p.value(m.name, accountLabels(a), v)
	}
}

func (p prometheusText) gauge(name, help string) {
	fmt.Fprintf(p.b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
}

// labels are alternating names and values.
type labels []string

func (p prometheusText) value(name string, l labels, v float64) {
	p.b.WriteString(name)
	for i := 0; i < len(l); i += 2 {
		p.b.WriteString(map[bool]string{true: "{", false: ","}[i == 0] + l[i] + `="` + labelValue(l[i+1]) + `"`)
	}
	if len(l) > 0 {
		p.b.WriteByte('}')
	}
	p.b.WriteString(" " + strconv.FormatFloat(v, 'f', -1, 64) + "\n")
}

func labelValue(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(escape.Printable(s))
}

package audit

import (
	"cmp"
	"fmt"
	"rollcall/internal/words"
	"strings"
	"time"
)

var ruleEvidence = rule{
	on: onReport,
	control: Control{
		ID:    Evidence,
		Name:  "evidence",
		Title: "The evidence is fresh and complete",
		Description: "A verdict is worth what the report is worth. A run with an account missing, or a file damaged, " +
			"is not clean.",
		Remediation: "Fetch the report again, or find out why that fails.",
		Rule: "Report: NO_DATA if it is missing, damaged, endless, of several accounts, without a row for root " +
			"outside aws-cn, or with two rows for root or a user; " +
			"WARN if it was older than {report_max_age_hours} when fetched, if the service had no newer one, " +
			"or if it has unreadable cells; " +
			"MANUAL if its age is not known; else PASS.",
		Subject: SubjectReport,
		Columns: []string{"user", "arn"},
		Absent: []AbsentValue{
			{"missing report", "", "NO_DATA, and the run is incomplete"},
			{"no account number", "arn", "NO_DATA"},
		},
		Params:   []string{"report_max_age_hours"},
		Severity: Info,
		Requirements: requirements(
			suggested(NIST53, "AC-2(j)"), suggested(ISO, "A.5.35"), suggested(SOC2, "CC4.1"),
		),
		Sources: []string{"Rollcall"},
	},
}

var ruleCredentialEvents = rule{
	on: onChange,
	control: Control{
		ID:    CredentialEvents,
		Name:  "credential-events",
		Title: "Changes of credentials between two reports are known",
		Description: "A new key, a password for a machine, MFA gone, a use of root: a single report does not show " +
			"when it happened; " +
			"two do. The severity is that of the event.",
		Remediation: "Ask the owner of the user whether it was intended.",
		Rule:        "Two reports of an account: each kind of event has a rule of its own.",
		Subject:     SubjectChange,
		Columns: []string{
			"user", "user_creation_time", "password_enabled", "password_last_used",
			"password_last_changed", "mfa_active",
			"access_key_1_active", "access_key_1_last_rotated", "access_key_1_last_used_date",
			"access_key_1_last_used_region", "access_key_1_last_used_service",
			"access_key_2_active", "access_key_2_last_rotated", "access_key_2_last_used_date",
			"access_key_2_last_used_region", "access_key_2_last_used_service",
			"cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated",
		},
		Absent: []AbsentValue{
			{"unreadable, missing column", "all", "no event: what is not known in both reports cannot be compared"},
		},
		Severity:     Info,
		Requirements: requirements(suggested(NIST53, "AC-2(4)", "AU-6")),
		Sources:      []string{"Rollcall"},
	},
}

// judgeEvidence judges the whole report after its rows. It returns the line
// that caused the verdict, 0 for none.
func judgeEvidence(s *sight, u *run) (line int) {
	status := Pass
	var why []string
	say := func(st Status, text string) {
		status = min(status, st) // in the order of importance: see Status
		why = append(why, text)
	}
	for _, p := range u.out.Problems {
		if !p.ofRow {
			line = cmp.Or(line, p.Line)
			say(NoData, p.Text)
		}
	}
	if !u.out.Stats.Root.Seen && !u.broken && !u.out.Missing && u.out.Source.Partition != "aws-cn" {
		say(NoData, "The report has no row for root.")
	}
	if u.stray > 0 {
		say(NoData, fmt.Sprintf("Rows that do not belong in the report: %d, the first on line %d.", u.stray,
			u.firstStray))
	}
	u.judgeFreshness(say)
	if u.unreadable > 0 {
		say(Warn, fmt.Sprintf("Rows with unreadable cells: %d, the first on line %d.",
			u.unreadable, u.firstUnreadable))
	}
	if len(why) == 0 {
		why = append(why, "The report is complete, and was fresh when it was fetched.")
	}
	s.say(status, strings.Join(why, " "), nil)
	return line
}

func (u *run) judgeFreshness(say func(Status, string)) {
	src := &u.out.Source
	limit := time.Duration(u.auditor.params.ReportMaxAgeHours) * time.Hour
	age := u.fetched.Sub(src.Generated)
	switch {
	case u.out.Missing:
	case src.Generated.IsZero():
		say(Manual, "The time the report was generated is not known.")
	case src.Origin == "stale":
		say(Warn, "The newest report of the service was that of "+dated(src.Generated)+".")
	case u.fetched.IsZero():
		say(Manual, "The age of the report when it was fetched is not known.")
	case age > limit:
		say(Warn, fmt.Sprintf("The report was %s old when it was fetched; the limit is %s.",
			duration(age), duration(limit)))
	case age < -time.Duration(clockTolerance)*time.Second:
		say(Warn, "By its dates the report was fetched before it was created.")
	}
}

// dated returns the time in the form of reports, for a sentence.
func dated(t time.Time) string { return cmp.Or(words.Time(t), "an unknown time") }

package main

// control is the recipe for a control of the audit. Its example would look for
// users whose name says that they are shared.
var control = recipe{
	name: "control",
	steps: []step{
		{
			file: "internal/audit/control.go", what: "its id",
			changes: []change{after(
				"\tCredentialEvents   ControlID = \"C20\"\n",
				"\tSharedUser         ControlID = \"C21\"\n",
			)},
		},
		{
			file: "internal/audit/rule_shared.go", what: "its data and its rule",
			text: `package audit

import "strings"

var ruleSharedUser = rule{
	on: onUsers,
	control: Control{
		ID:          SharedUser,
		Name:        "shared-user",
		Title:       "No user is shared",
		Description: "What a shared user did, nobody can tell.",
		Remediation: "Give everybody a user of their own.",
		Rule:        "Row of a user: WARN if the name begins with shared, else PASS.",
		Subject:     SubjectUser,
		Columns:     []string{"user"},
		Absent:      []AbsentValue{{"any absence", "user", "NO_DATA"}},
		Severity:    Low,
		Sources:     []string{"Rollcall"},
	},
	judge: func(s *sight) {
		if strings.HasPrefix(s.row.User, "shared") {
			s.say(Warn, "The name of the user says that it is shared.", columns("user"))
			return
		}
		s.say(Pass, "The name of the user does not say that it is shared.", columns("user"))
	},
}
`,
		},
		{
			file: "internal/audit/catalogue.go", what: "its place among the controls",
			changes: []change{after("&ruleEvidence, &ruleCredentialEvents,", " &ruleSharedUser,")},
		},
		{
			file: "internal/audit/catalogue_test.go", what: "its id, severity and benchmarks, once more",
			changes: []change{
				after("C14 C15 C16 C17 C18 C19 C20", " C21"),
				{"FindControl(\"C21\"); ok {\n\t\tt.Error(\"C21", "FindControl(\"C22\"); ok {\n\t\tt.Error(\"C22"},
				{`{audit.Strict, "C1 C1b C2 C3 C4 C5 C6 C7 C8 C9 C10 C11 C12 C13 C14 C15 C16 C17 C18 C19", 45}`,
					`{audit.Strict, "C1 C1b C2 C3 C4 C5 C6 C7 C8 C9 C10 C11 C12 C13 C14 C15 C16 C17 C18 C19 C21", 45}`},
				after(`"C19": audit.Info, "C20": audit.Info,`, ` "C21": audit.Low,`),
			},
		},
		{
			file: "internal/audit/testdata/corpus/shared-user.txtar", what: "a report with the verdicts it must get",
			text: `Users whose name says that they are shared

benchmark: strict
controls: C21
generated: 2026-09-01T12:00:00Z
fetched: 2026-09-01T12:00:00Z
-- report.csv --
user,arn,user_creation_time
<root_account>,arn:aws:iam::123456789012:root,2023-12-06T12:00:00Z
amy,arn:aws:iam::123456789012:user/amy,2023-12-06T12:00:00Z
shared-ops,arn:aws:iam::123456789012:user/shared-ops,2023-12-06T12:00:00Z
-- exit --
0
-- verdicts --
C21 amy - PASS The name of the user does not say that it is shared.
C21 shared-ops - WARN The name of the user says that it is shared.
`,
		},
		{
			file: "docs/verdicts.md", what: "generated",
			generate: []string{"go", "test", "-count", "1", "-run", "TestVerdictsPage", "./internal/audit", "-update"},
		},
	},
	tests: []string{"./internal/audit", "./internal/audit/plan", "./internal/render/..."},
}

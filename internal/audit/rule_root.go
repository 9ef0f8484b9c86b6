package audit

import "rollcall/report"

// noRootRow is the conclusion of the rules of root from a report without a row
// of root.
const noRootRow = "NOT_APPLICABLE in aws-cn, whose reports have none; NO_DATA elsewhere"

var ruleRootActiveKey = rule{
	control: Control{
		ID:    RootActiveKey,
		Name:  "root-no-active-key",
		Title: "Root has no active access key",
		Description: "An access key of root can do everything in the account, and no policy limits it. " +
			"Nothing needs one.",
		Remediation: "Sign in as root, make sure that nothing uses the key, and delete it.",
		Rule: "Row of root: FAIL if access_key_1_active or access_key_2_active is true; PASS if both are " +
			"false; else NO_DATA.",
		Subject: SubjectRoot,
		Columns: columnNames(columnsKeysActive),
		Absent: []AbsentValue{
			{"no row", "", noRootRow},
			{"any absence", "access_key_N_active", "NO_DATA, unless the other key is active"},
		},
		Severity:        Critical,
		OtherSeverities: others("critical", "critical", "danger"),
		Requirements: requirements(
			cis("1.12", "1.4", "1.3", "2.3", "2.4"), fsbp("IAM.4"),
			of(NIST53, "AC-2(1)", "AC-3(7)", "AC-3(15)", "AC-6", "AC-6(2)", "AC-6(10)"),
			suggested(PCI401, "7.2.2", "8.2.2"), suggested(ISO, "A.8.2"), suggested(SOC2, "CC6.1", "CC6.3"),
		),
		ConfigRule: "iam-root-access-key-check",
		Sources:    []string{sourceCIS, sourceSecurityHub},
	},
	judge: func(s *sight) {
		k1, k2 := s.row.Keys[0].Active, s.row.Keys[1].Active
		switch {
		case k1.IsTrue() && k2.IsTrue():
			s.say(Fail, "Root has two active access keys.", columnsKeysActive)
		case k1.IsTrue():
			s.say(Fail, rootKeyWhy("active", &s.credentials[1]), s.credentials[1].state)
		case k2.IsTrue():
			s.say(Fail, rootKeyWhy("active", &s.credentials[2]), s.credentials[2].state)
		case !k1.IsFalse():
			s.noData(s.credentials[1].state)
		case !k2.IsFalse():
			s.noData(s.credentials[2].state)
		default:
			s.say(Pass, "Root has no active access key.", columnsKeysActive)
		}
	},
}

var ruleRootAnyKey = rule{
	control: Control{
		ID:    RootAnyKey,
		Name:  "root-no-key",
		Title: "Root has no access key, not even an inactive one",
		Description: "An inactive key of root is one call away from being active again. " +
			"The title of the CIS item asks that none exists; its audit looks at active ones alone.",
		Remediation: "Delete the inactive key.",
		Rule: "Row of root: WARN if access_key_N_active is false and access_key_N_last_rotated is a date, as " +
			"inactive keys " +
			"keep it; NOT_APPLICABLE if the only keys are active, which C1 judges; PASS if there is none; else " +
			"NO_DATA.",
		Subject: SubjectRoot,
		Columns: []string{
			"access_key_1_active", "access_key_1_last_rotated", "access_key_2_active", "access_key_2_last_rotated",
		},
		Absent: []AbsentValue{
			{"no row", "", noRootRow},
			{"N/A", "access_key_N_last_rotated", "there is no such key"},
			{"any other absence", "access_key_N_active, access_key_N_last_rotated",
				"NO_DATA, unless the other key is a WARN"},
		},
		Severity: High,
		Requirements: requirements(
			suggestedEach(cis("1.12", "1.4", "1.3", "2.3", "2.4")),
			suggested(NIST53, "AC-2(1)", "AC-3(7)", "AC-3(15)", "AC-6", "AC-6(2)", "AC-6(10)"),
			suggested(PCI401, "7.2.2", "8.2.2"), suggested(ISO, "A.8.2"), suggested(SOC2, "CC6.1", "CC6.3"),
		),
		Sources: []string{sourceCIS, "Rollcall: the report keeps last_rotated of inactive keys"},
	},
	judge: func(s *sight) {
		active := false
		var unknown []report.Column
		keys := s.credentials.of(AccessKey)
		for i := range keys {
			switch c := &keys[i]; {
			case c.active.IsTrue():
				active = true
			case !c.active.IsFalse():
				unknown = c.state
			case c.made.IsPresent():
				s.say(Warn, rootKeyWhy("inactive", c), c.madeIn)
				return
			case c.made.Absence() != report.NotApplicable:
				unknown = c.madeIn
			}
		}
		switch {
		case unknown != nil:
			s.noData(unknown)
		case active:
			s.say(NotApplicable, "All access keys of root are active: see C1.", columnsKeysActive)
		default:
			s.say(Pass, "Root has no access key.", columnsKeysActive)
		}
	},
}

// rootKeyWhy returns a reason that root has a key. It contains the creation
// time if the row has it.
func rootKeyWhy(state string, c *credential) string {
	if !c.made.IsPresent() {
		return "Root has an " + state + " access key, and the report does not say when it was created."
	}
	return "Root has an " + state + " access key, created {" + c.madeIn[0].Name + "}."
}

var ruleRootMFA = rule{
	control: Control{
		ID:          RootMFA,
		Name:        "root-mfa",
		Title:       "Root has MFA",
		Description: "Anybody with root's password has the account, unless a second factor is required.",
		Remediation: "Sign in as root and add an MFA device; or, in a member account of an organization, remove " +
			"root's password.",
		Rule: "Row of root: PASS if mfa_active is true; else NOT_APPLICABLE in aws-us-gov and aws-cn, whose root " +
			"cannot have MFA, " +
			"and if password_enabled is false; FAIL if mfa_active is false and password_enabled is true or " +
			"not_supported; else NO_DATA.",
		Subject: SubjectRoot,
		Columns: columnNames(columnsMFAPassword),
		Absent: []AbsentValue{
			{"no row", "", noRootRow},
			{"not_supported", "password_enabled", "as true: reports generated before 2024 have it for every root"},
			{"any other absence", "password_enabled, mfa_active", "NO_DATA"},
		},
		Severity:        Critical,
		OtherSeverities: others("critical", "critical", "danger"),
		Requirements: requirements(
			cis("1.13", "1.5", "1.4", "2.4", "2.5"), of(SecurityHub, "IAM.9"), nistMFA, of(PCI401, "8.4.2"),
			suggested(ISO, "A.5.17", "A.8.5"), suggested(SOC2, "CC6.1"),
		),
		ConfigRule: "root-account-mfa-enabled",
		Sources:    []string{sourceCIS, sourceSecurityHub, sourceGuide},
	},
	judge: judgeRootMFA,
}

func judgeRootMFA(s *sight) {
	mfa, password := s.row.MFAActive, s.row.PasswordEnabled
	switch {
	case mfa.IsTrue():
		s.say(Pass, "Root has MFA.", columnMFA)
	case s.partition == "aws-us-gov" || s.partition == "aws-cn":
		s.say(NotApplicable, "Root cannot have MFA in this partition.", columnMFA)
	case password.IsFalse():
		s.say(NotApplicable, "Root has no password.", columnPassword)
	case !mfa.IsFalse():
		s.noData(columnMFA)
	case password.IsTrue():
		s.say(Fail, "Root has a password and no MFA.", columnsMFAPassword)
	case password.Absence() == report.NotSupported:
		s.say(Fail, "Root has no MFA; reports of that time do not show root's password.", columnMFA)
	default:
		s.noData(columnPassword)
	}
}

var ruleRootHardwareMFA = rule{
	control: Control{
		ID:    RootHardwareMFA,
		Name:  "root-hardware-mfa",
		Title: "Root has hardware MFA",
		Description: "A hardware device cannot be copied like the seed of a virtual one. The report tells whether " +
			"root has MFA, " +
			"not of which kind.",
		Remediation: "Replace root's virtual MFA device with a hardware device, or with a passkey on one.",
		Rule: "Row of root: what C2 says, unless that is PASS. Then MANUAL; with enrichment FAIL if a virtual " +
			"MFA device " +
			"belongs to root, PASS if none does, and NO_DATA if not all devices could be listed.",
		Subject: SubjectRoot,
		Columns: columnNames(columnsMFAPassword),
		Absent: []AbsentValue{
			{"no row", "", noRootRow},
			{"any absence", "password_enabled, mfa_active", "as C2"},
		},
		Severity:        Critical,
		OtherSeverities: others("critical", "critical", "danger"),
		Requirements: requirements(
			manualSince4(cis("1.14", "1.6", "1.5", "2.5", "2.6")), fsbp("IAM.6"), nistMFA, of(PCI401, "8.4.2"),
			suggested(ISO, "A.5.17", "A.8.5"), suggested(SOC2, "CC6.1"),
		),
		ConfigRule: "root-account-hardware-mfa-enabled",
		Sources:    []string{sourceCIS, sourceSecurityHub},
	},
	judge: func(s *sight) {
		n := len(s.verdicts)
		judgeRootMFA(s)
		if s.verdicts[n].status != Pass {
			return
		}
		s.verdicts = s.verdicts[:n]
		switch virtual := s.account.RootVirtualMFA; {
		case virtual == Yes:
			s.say(Fail, "Root has a virtual MFA device.", columnMFA)
		case s.account.lacks(MFAFacts):
			s.say(NoData, "Root has MFA; not all devices could be listed to learn of which kind.", columnMFA)
		case virtual == No:
			s.say(Pass, "Root has MFA, and no virtual device.", columnMFA)
		default:
			s.say(Manual, "Root has MFA; the report does not say which kind.", columnMFA)
		}
	},
}

var ruleRootUsed = rule{
	control: Control{
		ID:          RootUsed,
		Name:        "root-not-used",
		Title:       "Root is not used",
		Description: "Everyday work needs no root. A use nobody can explain is an incident.",
		Remediation: "Find out in CloudTrail who used root and what for; do that work with a role.",
		Rule: "Row of root: the latest of password_last_used, access_key_1_last_used_date and " +
			"access_key_2_last_used_date counts. " +
			"FAIL if its age at the time of the report is less than {root_used_fail_days}, WARN if less than " +
			"{root_used_warn_days}, else PASS. " +
			"A date that cannot be read is NO_DATA, unless another is a FAIL.",
		Subject: SubjectRoot,
		Columns: []string{
			"password_last_used", "access_key_1_last_used_date", "access_key_2_last_used_date",
			"access_key_1_active", "access_key_1_last_rotated", "access_key_2_active", "access_key_2_last_rotated",
		},
		Absent: []AbsentValue{
			{"no row", "", noRootRow},
			{"N/A, no_information", "all three", "never used"},
			{"not_supported", "password_last_used",
				"in aws-us-gov never used, as root has no password there; else NO_DATA"},
			{"any other absence", "access_key_N_last_used_date", "never used if there is no such key; else NO_DATA"},
			{"any other absence", "password_last_used", "NO_DATA"},
		},
		Params:          []string{"root_used_fail_days", "root_used_warn_days"},
		Severity:        High,
		OtherSeverities: others("low (IAM.20, retired in April 2024)", "high", "danger"),
		Requirements: requirements(
			manualSince4(cis("1.1", "1.7", "1.6", "2.6", "2.7")), suggested(SecurityHub, "IAM.20"),
			suggested(NIST53, "AC-6(2)", "AC-6(9)"), suggested(PCI401, "8.2.2"),
			suggested(ISO, "A.8.2"), suggested(SOC2, "CC6.1"),
		),
		Sources: []string{sourceCIS, "Rollcall: CIS gives no number of days"},
	},
	judge: judgeRootUsed,
}

func judgeRootUsed(s *sight) {
	var last report.Time
	var lastColumn, unknown []report.Column
	for i := range s.credentials {
		c := &s.credentials[i]
		if c.kind == Certificate { // no report shows the use of certificates
			continue
		}
		_, known := s.age(c.used)
		switch {
		case known:
			if !last.IsPresent() || later(c.used, last) {
				last, lastColumn = c.used, c.usedIn
			}
		case never(c.used):
		case c.kind == AccessKey && c.active.IsFalse() && c.made.Absence() == report.NotApplicable:
			// Such a credential does not exist, so nothing is missing.
		case c.kind == Password && c.used.Absence() == report.NotSupported && s.partition == "aws-us-gov":
		default:
			unknown = c.usedIn
		}
	}
	age, used := s.age(last)
	fail, warn := daySeconds(s.params.RootUsedFailDays), daySeconds(s.params.RootUsedWarnDays)
	v := verdict{columns: lastColumn, since: last, limitSec: warn, why: "Root was last used {age} ago, on {since}."}
	if s.after > 0 && age-s.after < warn {
		v.why = "Root was last used {age} ago, on {since}, and the report does not show later uses."
	}
	age -= s.after // an audit as of a later day does not know that root was not used since
	switch {
	case used && age < fail:
		v.status, v.limitSec = Fail, fail
	case unknown != nil:
		v = verdict{columns: unknown}
	case !used:
		v = verdict{status: Pass, columns: s.credentials[0].usedIn, why: "No use of root is recorded."}
	case age < warn:
		v.status = Warn
	default:
		v.status = Pass
	}
	s.add(v)
}

func later(t, u report.Time) bool {
	a, _ := t.Unix()
	b, _ := u.Unix()
	return a > b
}

var ruleCentralRoot = rule{
	control: Control{
		ID:    CentralRoot,
		Name:  "member-root-without-credentials",
		Title: "Member accounts have no root credentials under central root management",
		Description: "Central management of root credentials does not remove the credentials that members have " +
			"already. The report does not say whether it is on.",
		Remediation: "Delete the member's root credentials from the management account, with sts:AssumeRoot.",
		Rule: "Row of root, where 'rollcall report --org' or --management-account says that the organization manages " +
			"root centrally, and the account is a member: " +
			"WARN if password_enabled, a key or a certificate is true; PASS if all are false; else NO_DATA. " +
			"NOT_APPLICABLE in the management account. Central management off or unknown: MANUAL.",
		Subject: SubjectRoot,
		Columns: []string{
			"password_enabled", "access_key_1_active", "access_key_2_active", "cert_1_active", "cert_2_active",
		},
		Absent: []AbsentValue{
			{"no row", "", noRootRow},
			{"any absence", "all", "NO_DATA, unless another is true"},
		},
		Severity:        Medium,
		OtherSeverities: []OtherSeverity{{"Prowler", "high (looks at the organization's setting alone)"}},
		Requirements: requirements(
			of(CIS70, "2.1.1"), suggested(NIST53, "AC-6(2)"), suggested(PCI401, "7.2.2"),
			suggested(ISO, "A.8.2"), suggested(SOC2, "CC6.3"),
		),
		Sources: []string{sourceCIS, "AWS IAM guide: Centrally manage root access for member accounts"},
	},
	judge: judgeCentralRoot,
}

func judgeCentralRoot(s *sight) {
	central, member := s.account.CentralRoot, s.account.Member
	if id := s.row.AccountID(); s.management != "" && id != "" {
		if central == Unknown {
			central = Yes
		}
		if member == Unknown {
			member = Yes
			if id == s.management {
				member = No
			}
		}
	}
	switch {
	case member == No:
		s.say(NotApplicable, "The account is not a member of an organization.", columnPassword)
		return
	case central == No:
		s.say(Manual, "The organization does not manage the root credentials of its members centrally.", columnPassword)
		return
	case central == Unknown || member == Unknown:
		s.say(Manual, "The report does not say whether an organization manages root centrally.", columnPassword)
		return
	}
	active, unknown := s.anyActive()
	switch {
	case active != nil:
		s.say(Warn, "The member's root still has credentials of its own.", active)
	case unknown != nil:
		s.noData(unknown)
	default:
		s.say(Pass, "The member's root has no credentials.", columnPassword)
	}
}

package audit

import "rollcall/report"

var ruleConsoleMFA = rule{
	on: onUsers,
	control: Control{
		ID:          ConsoleMFA,
		Name:        "console-user-mfa",
		Title:       "Users with a console password have MFA",
		Description: "A password alone can be guessed, phished and reused.",
		Remediation: "Have the user add an MFA device, or remove the password.",
		CEL:         "user.mfa || !password.enabled", Scope: ScopeUser,
		Rule: "Row of a user: NOT_APPLICABLE if password_enabled is false; PASS if mfa_active is true; FAIL if " +
			"password_enabled " +
			"is true and mfa_active is false or a word that is neither; else NO_DATA. Root is never judged: see C2.",
		Subject: SubjectUser,
		Columns: columnNames(columnsMFAPassword),
		Absent: []AbsentValue{
			{"N/A, no_information, not_supported", "mfa_active", "as false"},
			{"unreadable, missing column", "mfa_active", "NO_DATA if there is a password"},
			{"any absence", "password_enabled", "NO_DATA, unless there is MFA"},
		},
		Severity:        High,
		OtherSeverities: others("medium", "high", "danger"),
		Requirements: requirements(
			cis("1.2", "1.10", "1.9", "2.9", "2.10"), fsbp("IAM.5"), nistMFA, of(PCI401, "8.4.2"),
			suggested(ISO, "A.5.17", "A.8.5"), suggested(SOC2, "CC6.1"),
		),
		ConfigRule: "mfa-enabled-for-iam-console-access",
		Sources:    []string{sourceCIS, sourceSecurityHub},
	},
	judge: func(s *sight) {
		password, mfa := s.row.PasswordEnabled, s.row.MFAActive
		switch {
		case password.IsFalse():
			s.say(NotApplicable, "The user has no password.", columnPassword)
		case mfa.IsTrue():
			s.say(Pass, "The user has MFA.", columnMFA)
		case !password.IsTrue():
			s.noData(columnPassword)
		case unreadable(mfa):
			s.noData(columnMFA)
		default:
			s.say(Fail, "The user has a password and no MFA.", columnsMFAPassword)
		}
	},
}

var ruleUserMFA = rule{
	on: onUsers,
	control: Control{
		ID:    UserMFA,
		Name:  "user-mfa",
		Title: "Every user has MFA",
		Description: "Some standards ask it of users without a password too, so that policies can require MFA of " +
			"their keys.",
		Remediation: "Add an MFA device, or replace the user by a role.",
		CEL:         "user.mfa", Scope: ScopeUser,
		Rule: "Row of a user: PASS if mfa_active is true; FAIL if it is false or a word that is neither; else " +
			"NO_DATA.",
		Subject: SubjectUser,
		Columns: columnNames(columnMFA),
		Absent: []AbsentValue{
			{"N/A, no_information, not_supported", "mfa_active", "as false"},
			{"unreadable, missing column", "mfa_active", "NO_DATA"},
		},
		Severity:        Low,
		OtherSeverities: []OtherSeverity{{"Security Hub", "medium"}},
		Requirements: requirements(
			of(SecurityHub, "IAM.19"), nistMFA, of(PCI401, "8.4.2"),
			suggested(ISO, "A.5.17", "A.8.5"), suggested(SOC2, "CC6.1"),
		),
		ConfigRule: "iam-user-mfa-enabled",
		Sources:    []string{sourceSecurityHub, "NIST 800-171 3.5.3"},
	},
	judge: func(s *sight) {
		switch mfa := s.row.MFAActive; {
		case mfa.IsTrue():
			s.say(Pass, "The user has MFA.", columnMFA)
		case unreadable(mfa):
			s.noData(columnMFA)
		default:
			s.say(Fail, "The user has no MFA.", columnMFA)
		}
	},
}

var rulePasswordUnused = rule{
	on: onUsers,
	control: Control{
		ID:          PasswordUnused,
		Name:        "password-unused",
		Title:       "No console password is unused",
		Description: "If nobody uses a password, nobody notices its theft. Root is not judged, as CIS says.",
		Remediation: "Delete the user's password (login profile).",
		CEL:         "password.idle_days < {unused_days}", Scope: ScopePassword,
		Rule: "Row of a user: NOT_APPLICABLE if password_enabled is false. Counted from password_last_used; if it " +
			"was never used, from " +
			"password_last_changed; if that is absent too, from user_creation_time, which is marked approximate. " +
			"FAIL if the age is {unused_days} or more, else PASS.",
		Subject: SubjectCredential,
		Columns: []string{"password_enabled", "password_last_used", "password_last_changed", "user_creation_time"},
		Absent: []AbsentValue{
			{"no_information, N/A", "password_last_used", "never used: password_last_changed counts"},
			{"N/A, no_information, not_supported", "password_last_changed", "user_creation_time counts"},
			{"any other absence", "the date that counts", "NO_DATA"},
			{"any absence", "password_enabled", "NO_DATA"},
		},
		Params:          []string{"unused_days"},
		Severity:        Medium,
		OtherSeverities: others("medium", "medium", "danger"),
		Requirements:    unusedRequirements,
		ConfigRule:      "iam-user-unused-credentials-check",
		Sources:         []string{sourceCIS, sourceSecurityHub},
	},
	judge: judgePasswordUnused,
}

func judgePasswordUnused(s *sight) {
	c := &s.credentials[0]
	switch {
	case c.active.IsFalse():
		s.say(NotApplicable, "The user has no password.", columnPassword)
		return
	case !c.active.IsTrue():
		s.add(c.noData(c.state))
		return
	}
	days := s.params.UnusedDays
	v := c.since(c.used, c.usedIn, days, "The password was last used {age} ago, on {since}; the limit is {limit}.")
	if never(c.used) {
		v = c.since(c.made, c.madeIn, days,
			"The password was never used, and was set {age} ago, on {since}; the limit is {limit}.")
		if never(c.made) || c.made.Absence() == report.NotSupported {
			v = c.since(s.row.Created, columnCreated, days,
				"The password was never used; when it was set is not recorded, "+
					"and the user is {age} old, created {since}; the limit is {limit}.")
			v.approx = true
		}
	}
	s.addAged(v, Fail, 1)
}

var rulePasswordAge = rule{
	on: onUsers,
	control: Control{
		ID:          PasswordAge,
		Name:        "password-age",
		Title:       "No console password is too old or past its date",
		Description: "This control looks at each user's password. The password policy only says what should be.",
		Remediation: "Have the user change the password.",
		Rule: "Row of a user: NOT_APPLICABLE if password_enabled is false. FAIL if the age of password_last_changed " +
			"is more than " +
			"{password_max_age_days}, which 0 turns off and password_age_sole_factor limits to users without MFA; " +
			"WARN if password_next_rotation has passed; NOT_APPLICABLE if nothing limits the age; else PASS.",
		Subject: SubjectCredential,
		Columns: []string{"password_enabled", "password_last_changed", "password_next_rotation", "mfa_active"},
		Absent: []AbsentValue{
			{"N/A, no_information, not_supported", "password_next_rotation", "passwords of the account do not expire"},
			{"any absence", "password_last_changed", "NO_DATA if there is a limit"},
			{"any other absence", "all", "NO_DATA, unless the verdict is FAIL without it"},
		},
		Params:   []string{"password_max_age_days", "password_age_sole_factor"},
		Severity: Low,
		OtherSeverities: []OtherSeverity{
			{"Security Hub", "medium (IAM.17 looks at the policy, not at users)"},
		},
		Requirements: requirements(
			suggested(NIST53, "IA-5(1)"), of(PCI401, "8.3.9"), suggested(ISO, "A.5.17"), suggested(SOC2, "CC6.1"),
		),
		Sources: []string{"PCI DSS 4.0.1 8.3.9 (where the password is the only factor)", "Rollcall"},
	},
	judge: judgePasswordAge,
}

func judgePasswordAge(s *sight) {
	password := s.row.PasswordEnabled
	if password.IsFalse() {
		s.say(NotApplicable, "The user has no password.", columnPassword)
		return
	}
	if !password.IsTrue() {
		s.add(verdict{kind: Password, columns: columnPassword})
		return
	}
	limited := s.params.PasswordMaxAgeDays > 0
	var unknown []report.Column
	v := verdict{
		kind: Password, columns: s.credentials[0].madeIn, since: s.row.PasswordLastChanged,
		why: "The password was set {age} ago, on {since}; the limit is {limit}.",
	}
	if limited && s.params.PasswordAgeSoleFactor && s.row.MFAActive.IsTrue() {
		limited = false
	}
	if limited {
		v.limitSec = daySeconds(s.params.PasswordMaxAgeDays)
		age, known := s.age(v.since)
		switch {
		case !known:
			unknown = s.credentials[0].madeIn
		case age > v.limitSec && s.params.PasswordAgeSoleFactor && !s.row.MFAActive.IsFalse():
			unknown = columnMFA
		case age > v.limitSec:
			v.status = Fail
			s.add(v)
			return
		}
	}
	next, expires := s.row.PasswordNextRotation.Unix()
	asOf, known := s.asOf.Unix()
	switch a := s.row.PasswordNextRotation.Absence(); {
	case expires && !known, a == report.Malformed, a == report.MissingColumn:
		unknown = columnPwNext
	}
	switch {
	case unknown != nil:
		v = verdict{kind: Password, columns: unknown}
	case expires && next < asOf:
		v = verdict{
			kind: Password, status: Warn, columns: columnPwNext,
			why: "The password should have been changed by {password_next_rotation}.",
		}
	case limited:
		v.status = Pass
	case expires:
		v = verdict{
			kind: Password, status: Pass, columns: columnPwNext,
			why: "The password must be changed by {password_next_rotation}.",
		}
	default:
		v = verdict{kind: Password, status: NotApplicable, columns: columnPwNext,
			why: "Nothing limits the age of the password."}
	}
	s.add(v)
}

package audit

import "rollcall/report"

// eachActiveKey calls judge for every active key. If there is none, it adds a
// verdict for the row.
func eachActiveKey(s *sight, judge func(s *sight, c *credential)) {
	if !s.eachActive(AccessKey, judge) {
		s.say(NotApplicable, "There is no active access key.", columnsKeysActive)
	}
}

var ruleKeyUnused = rule{
	on: onUsers,
	control: Control{
		ID:          KeyUnused,
		Name:        "key-unused",
		Title:       "No active access key is unused",
		Description: "If nobody uses a key, nobody notices its theft. Each active key is judged by itself.",
		Remediation: "Deactivate the key; delete it when nobody has missed it for some days.",
		CEL:         "key.idle_days < {unused_days}", When: "key.active", Scope: ScopeAccessKey,
		Rule: "Row of a user, for each active key: counted from access_key_N_last_used_date; if it was never " +
			"used, from " +
			"access_key_N_last_rotated. FAIL if the age is {unused_days} or more, else PASS. NOT_APPLICABLE if no " +
			"key is active.",
		Subject: SubjectCredential,
		Columns: []string{
			"access_key_1_active", "access_key_1_last_used_date", "access_key_1_last_rotated",
			"access_key_2_active", "access_key_2_last_used_date", "access_key_2_last_rotated",
		},
		Absent: []AbsentValue{
			{"N/A, no_information", "access_key_N_last_used_date", "never used: access_key_N_last_rotated counts"},
			{"any other absence", "the date that counts", "NO_DATA"},
			{"any absence", "access_key_N_active", "NO_DATA"},
		},
		Params:          []string{"unused_days"},
		Severity:        Medium,
		OtherSeverities: others("medium", "medium", "danger"),
		Requirements:    unusedRequirements,
		ConfigRule:      "iam-user-unused-credentials-check",
		Sources:         []string{sourceCIS, sourceSecurityHub},
	},
	judge: func(s *sight) { eachActiveKey(s, judgeKeyUnused) },
}

func judgeKeyUnused(s *sight, c *credential) {
	v := c.since(c.used, c.usedIn, s.params.UnusedDays,
		"The access key was last used {age} ago, on {since}; the limit is {limit}.")
	if never(c.used) {
		v = c.since(c.made, c.madeIn, s.params.UnusedDays,
			"The access key was never used, and was created {age} ago, on {since}; the limit is {limit}.")
	}
	s.addAged(v, Fail, 1)
}

var ruleKeyAge = rule{
	on: onAll,
	control: Control{
		ID:          KeyAge,
		Name:        "key-age",
		Title:       "Active access keys are young enough",
		Description: "The older a key, the more places it was copied to. Each active key is judged for itself.",
		Remediation: "Create a second key, use it instead of the old one, and delete the old one; better, " +
			"use a role.",
		CEL:  "key.age_days <= (user.class == 'machine' ? {key_max_age_days_machine} : {key_max_age_days})",
		When: "key.active", Scope: ScopeAccessKey,
		Rule: "Any row, for each active key: FAIL if the age of access_key_N_last_rotated is more than " +
			"{key_max_age_days}, or " +
			"{key_max_age_days_machine} for a user of the class machine, else PASS. NOT_APPLICABLE if no key is " +
			"active, " +
			"and for root where {key_age_root} is false.",
		Subject: SubjectCredential,
		Columns: []string{
			"access_key_1_active", "access_key_1_last_rotated", "access_key_2_active",
			"access_key_2_last_rotated", "password_enabled",
		},
		Absent: []AbsentValue{
			{"any absence", "access_key_N_last_rotated", "NO_DATA: AWS gives it for every key"},
			{"any absence", "access_key_N_active", "NO_DATA"},
			{"any absence", "password_enabled", "the lower of the two limits counts"},
		},
		Params:          []string{"key_max_age_days", "key_max_age_days_machine", "key_age_root"},
		Severity:        Medium,
		OtherSeverities: others("medium", "medium", "danger"),
		Requirements: requirements(
			cis("1.4", "1.14", "1.13", "2.13", "2.12"), fsbp("IAM.3"), of(NIST53, "AC-2(1)", "AC-2(3)", "AC-3(15)"),
			of(PCI401, "8.3.9", "8.6.3"), suggested(ISO, "A.5.17"), suggested(SOC2, "CC6.1"),
		),
		ConfigRule: "access-keys-rotated",
		Sources:    []string{sourceCIS, sourceSecurityHub},
	},
	judge: func(s *sight) {
		if s.isRoot() && !s.params.KeyAgeRoot {
			s.say(NotApplicable, "Keys of root are not judged by their age: see C1.", columnsKeysActive)
			return
		}
		eachActiveKey(s, judgeKeyAge)
	},
}

func judgeKeyAge(s *sight, c *credential) {
	limit := s.params.KeyMaxAgeDays
	switch s.class {
	case ClassMachine:
		limit = s.params.KeyMaxAgeDaysMachine
	case ClassUnknown:
		limit = min(limit, s.params.KeyMaxAgeDaysMachine)
	}
	s.addAged(c.since(c.made, c.madeIn, limit, "The access key is {age} old, created {since}; the limit is {limit}."),
		Fail,
		0)
}

var ruleOneActiveKey = rule{
	on: onUsers,
	control: Control{
		ID:          OneActiveKey,
		Name:        "one-active-key",
		Title:       "Users have at most one active access key",
		Description: "A second key is for the days of a rotation. If it stays longer, nobody keeps an eye on it.",
		Remediation: "Delete the key that is not in use.",
		Rule: "Row of a user: FAIL if both keys are active; but WARN while the younger one's age is less than " +
			"{rotation_grace_days}. " +
			"PASS if either is inactive; else NO_DATA.",
		Subject: SubjectUser,
		Columns: []string{
			"access_key_1_active", "access_key_2_active", "access_key_1_last_rotated", "access_key_2_last_rotated",
		},
		Absent: []AbsentValue{
			{"any absence", "access_key_N_last_rotated", "FAIL: the days of grace must be shown"},
			{"any absence", "access_key_N_active", "NO_DATA, unless the other key is inactive"},
		},
		Params:          []string{"rotation_grace_days"},
		Severity:        Medium,
		OtherSeverities: []OtherSeverity{{"Prowler", "medium"}, {"ScoutSuite", "warning"}},
		Requirements: requirements(
			cis("", "1.13", "1.12", "2.12", ""), suggested(NIST53, "AC-6"),
			suggested(ISO, "A.5.17"), suggested(SOC2, "CC6.1"),
		),
		Sources: []string{sourceCIS + " (removed in 7.0)", "AWS IAM guide: how to rotate access keys"},
	},
	judge: judgeOneActiveKey,
}

func judgeOneActiveKey(s *sight) {
	k := &s.row.Keys
	switch {
	case k[0].Active.IsFalse() || k[1].Active.IsFalse():
		s.say(Pass, "At most one access key is active.", columnsKeysActive)
		return
	case !k[0].Active.IsTrue():
		s.noData(s.credentials[1].state)
		return
	case !k[1].Active.IsTrue():
		s.noData(s.credentials[2].state)
		return
	}
	age1, known1 := s.age(k[0].LastRotated)
	age2, known2 := s.age(k[1].LastRotated)
	if !known1 || !known2 {
		s.say(Fail, "Two access keys are active, and the report does not say when they were created.", columnsKeysActive)
		return
	}
	v := verdict{
		status: Fail, columns: columnsKeysActive, since: k[0].LastRotated,
		limitSec: daySeconds(s.params.RotationGraceDays),
		why: "Two access keys are active; the younger is {age} old, created {since}, and a rotation may take " +
			"{limit}.",
	}
	if age2 < age1 {
		age1, v.since = age2, k[1].LastRotated
	}
	if age1 < v.limitSec {
		v.status = Warn
	}
	s.add(v)
}

var ruleKeyAtSetup = rule{
	on: onUsers,
	control: Control{
		ID:          KeyAtSetup,
		Name:        "no-key-at-setup",
		Title:       "No access key was created when a console user was set up",
		Description: "A key that was created with the user and never used exists because somebody ticked a box.",
		Remediation: "Delete the key; the user can create one when it is needed.",
		Rule: "Row of a user, for each active key: FAIL if password_enabled is true, the key was never used, and " +
			"access_key_N_last_rotated is 0 to {setup_window_minutes} after user_creation_time; PASS if one of these " +
			"is known not to be so; " +
			"else NO_DATA. NOT_APPLICABLE without a password, and without an active key.",
		Subject: SubjectCredential,
		Columns: []string{
			"password_enabled", "user_creation_time",
			"access_key_1_active", "access_key_1_last_rotated", "access_key_1_last_used_date",
			"access_key_2_active", "access_key_2_last_rotated", "access_key_2_last_used_date",
		},
		Absent: []AbsentValue{
			{"N/A, no_information", "access_key_N_last_used_date", "never used"},
			{"any other absence", "all", "NO_DATA, unless the verdict is PASS without it"},
		},
		Params:          []string{"setup_window_minutes"},
		Severity:        Low,
		OtherSeverities: []OtherSeverity{{"Prowler", "medium"}, {"ScoutSuite", "warning"}},
		Requirements: requirements(
			manualSince4(cis("1.21", "1.11", "1.10", "2.10", "")), suggested(NIST53, "AC-6"),
		),
		Sources: []string{sourceCIS + " (removed in 7.0)"},
	},
	judge: func(s *sight) {
		if s.row.PasswordEnabled.IsFalse() {
			s.say(NotApplicable, "The user has no password.", columnPassword)
			return
		}
		eachActiveKey(s, judgeKeyAtSetup)
	},
}

func judgeKeyAtSetup(s *sight, c *credential) {
	v := verdict{kind: c.kind, slot: c.slot, status: Pass, columns: c.madeIn, since: c.made}
	made, madeKnown := c.made.Unix()
	created, createdKnown := s.row.Created.Unix()
	window := int64(s.params.SetupWindowMinutes) * 60
	switch after := made - created; {
	case c.used.IsPresent():
		v.why, v.columns, v.since = "The access key was used.", c.usedIn, report.Time{}
	case madeKnown && createdKnown && (after < 0 || after > window):
		v.why = "The access key was not created with the user: {since}, and the user {user_creation_time}."
	case !s.row.PasswordEnabled.IsTrue():
		v = c.noData(columnPassword)
	case !never(c.used):
		v = c.noData(c.usedIn)
	case !madeKnown:
		v = c.noData(c.madeIn)
	case !createdKnown:
		v = c.noData(columnCreated)
	default:
		v.status = Fail
		v.why = "The access key was created with the user, {since}, and was never used."
	}
	s.add(v)
}

var ruleLeftoverKey = rule{
	on: onUsers,
	control: Control{
		ID:          LeftoverKey,
		Name:        "leftover-key",
		Title:       "No inactive access key is left over",
		Description: "Anybody who may update keys can reactivate a key that was deactivated and forgotten.",
		Remediation: "Delete the key.",
		Rule: "Row of a user, for each key that is inactive and has access_key_N_last_rotated, which inactive " +
			"keys keep: " +
			"WARN if that is more than {leftover_key_days} ago, else PASS. NOT_APPLICABLE if there is no inactive key.",
		Subject: SubjectCredential,
		Columns: []string{
			"access_key_1_active", "access_key_1_last_rotated", "access_key_2_active", "access_key_2_last_rotated",
		},
		Absent: []AbsentValue{
			{"N/A", "access_key_N_last_rotated", "there is no such key"},
			{"any other absence", "access_key_N_active, access_key_N_last_rotated", "NO_DATA"},
		},
		Params:          []string{"leftover_key_days"},
		Severity:        Low,
		OtherSeverities: []OtherSeverity{{"ScoutSuite", "warning"}},
		Requirements:    requirements(suggested(NIST53, "AC-2(3)")),
		Sources:         []string{"CIS: remediation of the item on key rotation", "Rollcall"},
	},
	judge: judgeLeftoverKey,
}

func judgeLeftoverKey(s *sight) {
	found := false
	keys := s.credentials.of(AccessKey)
	for i := range keys {
		c := &keys[i]
		switch {
		case c.active.IsTrue():
			continue
		case !c.active.IsFalse():
			s.add(c.noData(c.state))
		case c.made.Absence() == report.NotApplicable: // the key does not exist
			continue
		default:
			s.addAged(c.since(c.made, c.madeIn, s.params.LeftoverKeyDays,
				"The access key is inactive and {age} old, created {since}; the limit is {limit}."), Warn, 0)
		}
		found = true
	}
	if !found {
		s.say(NotApplicable, "There is no inactive access key.", columnsKeysActive)
	}
}

package audit

import (
	"rollcall/report"
	"slices"
)

var ruleSigningCertificate = rule{
	on: onAll,
	control: Control{
		ID:    SigningCertificate,
		Name:  "signing-certificate",
		Title: "Root has no X.509 signing certificate, and users no old one",
		Description: "Signing certificates serve a few old SOAP interfaces. They are credentials like access keys, " +
			"and easily forgotten. " +
			"The severity is high for root.",
		Remediation: "Delete the certificate.",
		Rule: "Row of root: for each active certificate FAIL; PASS if there is none. Row of a user, for each active " +
			"certificate: WARN if " +
			"the age of cert_N_last_rotated is more than {certificate_max_age_days}, else PASS; NOT_APPLICABLE if " +
			"there is none.",
		Subject: SubjectCredential,
		Columns: []string{"cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated"},
		Absent: []AbsentValue{
			{"any absence", "cert_N_active", "NO_DATA"},
			{"any absence", "cert_N_last_rotated", "NO_DATA for a user's active certificate"},
		},
		Params:          []string{"certificate_max_age_days"},
		Severity:        Low,
		OtherSeverities: []OtherSeverity{{"ScoutSuite", "danger (root only)"}},
		Requirements:    requirements(suggested(NIST53, "IA-5"), suggested(ISO, "A.5.17")),
		Sources:         []string{"ScoutSuite iam-root-account-with-active-certs", "Rollcall"},
	},
	judge: judgeSigningCertificate,
}

func judgeSigningCertificate(s *sight) {
	severity := Info
	if s.isRoot() {
		severity = High
	}
	first := len(s.verdicts)
	found := s.eachActive(Certificate, func(s *sight, c *credential) {
		if s.isRoot() {
			s.add(verdict{kind: c.kind, slot: c.slot, status: Fail, columns: c.state,
				why: "Root has an active signing certificate."})
			return
		}
		s.addAged(c.since(c.made, c.madeIn, s.params.CertificateMaxAgeDays,
			"The signing certificate is {age} old, uploaded {since}; the limit is {limit}."), Warn, 0)
	})
	switch {
	case found:
	case s.isRoot():
		s.say(Pass, "Root has no active signing certificate.", columnsCertsActive)
	default:
		s.say(NotApplicable, "There is no active signing certificate.", columnsCertsActive)
	}
	for i := range s.verdicts[first:] {
		s.verdicts[first+i].atLeast = severity
	}
}

var ruleHumanAndMachine = rule{
	on: onUsers,
	control: Control{
		ID:          HumanAndMachine,
		Name:        "human-and-machine",
		Title:       "No user is both a person and a machine",
		Description: "If a user has a password and a key, nobody can tell what the person did and what the machine did.",
		Remediation: "Give the program a role, or a user of its own; or have the person use short-lived credentials.",
		Rule: "Row of a user: WARN if password_enabled is true and a key is active; PASS if either is known not " +
			"to be so; " +
			"else NO_DATA.",
		Subject: SubjectUser,
		Columns: []string{"password_enabled", "access_key_1_active", "access_key_2_active"},
		Absent: []AbsentValue{
			{"any absence", "all", "NO_DATA, unless the verdict is the same without it"},
		},
		Severity:        Low,
		OtherSeverities: []OtherSeverity{{"ScoutSuite", "warning"}},
		Requirements: requirements(
			suggested(NIST53, "AC-6", "IA-2"), suggested(PCI401, "8.6.1"),
			suggested(ISO, "A.5.16"), suggested(SOC2, "CC6.1"),
		),
		Sources: []string{"ScoutSuite iam-user-with-password-and-key", "Guardian security-hq"},
	},
	judge: func(s *sight) {
		k := &s.row.Keys
		password, key := s.row.PasswordEnabled, or(k[0].Active, k[1].Active)
		switch {
		case password.IsFalse():
			s.say(Pass, "The user has no password.", columnPassword)
		case key.IsFalse():
			s.say(Pass, "The user has no active access key.", columnsKeysActive)
		case !password.IsTrue():
			s.noData(columnPassword)
		case !key.IsTrue() && k[0].Active.IsFalse():
			s.noData(s.credentials[2].state)
		case !key.IsTrue():
			s.noData(s.credentials[1].state)
		case k[0].Active.IsTrue():
			s.say(Warn, "The user has a password and an active access key.", columnsPasswordKey[0])
		default:
			s.say(Warn, "The user has a password and an active access key.", columnsPasswordKey[1])
		}
	},
}

var columnsPasswordKey = [2][]report.Column{
	slices.Concat(columnPassword, blank[1].state), slices.Concat(columnPassword, blank[2].state),
}

var ruleLeftoverUser = rule{
	on: onUsers,
	control: Control{
		ID:    LeftoverUser,
		Name:  "leftover-user",
		Title: "No user is left over without credentials",
		Description: "A user with nothing to sign in with is a name with permissions, waiting for a credential. " +
			"It may still hold SSH keys or service-specific credentials such as those of CodeCommit or Bedrock, " +
			"which are not in the report.",
		Remediation: "Look for credentials the report does not show, and delete the user.",
		Rule: "Row of a user: WARN if there is no password, no active key and no active certificate, and " +
			"user_creation_time is more than " +
			"{leftover_days} ago; PASS if one of these is known not to be so, or if enrichment shows an active " +
			"service-specific credential " +
			"or SSH key; NO_DATA otherwise, and if enrichment could not list these.",
		Subject: SubjectUser,
		Columns: []string{
			"password_enabled", "access_key_1_active", "access_key_2_active", "cert_1_active",
			"cert_2_active", "user_creation_time",
		},
		Absent: []AbsentValue{
			{"any absence", "all", "NO_DATA, unless the verdict is PASS without it"},
		},
		Params:          []string{"leftover_days"},
		Severity:        Low,
		OtherSeverities: []OtherSeverity{{"Guardian security-hq", "amber"}},
		Requirements: requirements(
			suggested(NIST53, "AC-2(3)"), suggested(PCI401, "8.2.6"),
			suggested(ISO, "A.5.18"), suggested(SOC2, "CC6.2"),
		),
		Sources: []string{"Guardian security-hq"},
	},
	judge: judgeLeftoverUser,
}

func judgeLeftoverUser(s *sight) {
	active, unknown := s.anyActive()
	if active != nil {
		s.say(Pass, "The user has a credential.", active)
		return
	}
	r := s.row
	v := verdict{
		status: Pass, columns: columnCreated, since: r.Created, limitSec: daySeconds(s.params.LeftoverDays),
		why: "The user has no credential yet, and is {age} old, created {since}; the limit is {limit}.",
	}
	age, known := s.age(r.Created)
	switch {
	case known && age <= v.limitSec:
	case s.facts != nil && hasServiceCredential(s.facts):
		v = verdict{status: Pass, columns: columnPassword,
			why: "The user has a service-specific credential or an SSH key."}
	case unknown != nil:
		v = verdict{columns: unknown}
	case !known:
		v = verdict{columns: columnCreated}
	case s.facts != nil && s.facts.ServiceCredentials != nil:
		v.status = Warn
		v.why = "The user has no credential of any kind, and is {age} old, created {since}; the limit is {limit}."
	case s.account.lacks(ServiceCredentialFacts):
		v.status, v.columns = NoData, columnPassword
		v.why = "The user has no password, active key or active certificate; whether it has SSH keys or " +
			"service-specific credentials could not be read."
	default:
		v.status = Warn
		v.why = "The user has no password, active key or active certificate, and is {age} old, created {since}; the " +
			"limit is {limit}. " +
			"It may still hold SSH, CodeCommit or Bedrock credentials, which are not in this report."
	}
	s.add(v)
}

func hasServiceCredential(facts *UserFacts) bool {
	for _, c := range facts.ServiceCredentials {
		if c.Active {
			return true
		}
	}
	return false
}

var ruleMoreCredentials = rule{
	on: onAll,
	control: Control{
		ID:    MoreCredentials,
		Name:  "more-credentials",
		Title: "The report shows all keys and certificates",
		Description: "A row shows two access keys and two certificates. Further ones are counted in " +
			"additional_credentials_info, and not judged.",
		Remediation: "List the user's access keys and signing certificates, and judge them by hand.",
		Rule: "Any row: WARN if additional_credentials_info holds a text; PASS if it is empty or N/A; NOT_APPLICABLE " +
			"if the report has no " +
			"such column, which most have not.",
		Subject: SubjectUser,
		Columns: columnNames(columnAdditional),
		Absent: []AbsentValue{
			{"empty, N/A", "additional_credentials_info", "PASS"},
			{"missing column", "additional_credentials_info", "NOT_APPLICABLE"},
			{"any other absence", "additional_credentials_info", "NO_DATA"},
		},
		Severity: Info,
		Sources:  []string{sourceGuide, "Rollcall"},
	},
	judge: func(s *sight) {
		switch more := s.row.Additional; {
		case more.IsPresent():
			s.say(Warn, "There are credentials the report does not show: {additional_credentials_info}.",
				columnAdditional)
		case more.Absence() == report.NotApplicable:
			s.say(Pass, "The row shows all keys and certificates.", columnAdditional)
		case more.Absence() == report.MissingColumn:
			s.say(NotApplicable, "The report has no column for further credentials.", columnAdditional)
		default:
			s.noData(columnAdditional)
		}
	},
}

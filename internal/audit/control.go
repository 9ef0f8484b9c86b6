package audit

// ControlID names a control, such as C1 or C1b. Ids do not change and are never
// used again.
type ControlID string

// The controls. Each is described in its [Control].
const (
	RootActiveKey      ControlID = "C1"
	RootAnyKey         ControlID = "C1b"
	RootMFA            ControlID = "C2"
	RootHardwareMFA    ControlID = "C3"
	RootUsed           ControlID = "C4"
	ConsoleMFA         ControlID = "C5"
	UserMFA            ControlID = "C6"
	PasswordUnused     ControlID = "C7"
	KeyUnused          ControlID = "C8"
	KeyAge             ControlID = "C9"
	OneActiveKey       ControlID = "C10"
	KeyAtSetup         ControlID = "C11"
	PasswordAge        ControlID = "C12"
	SigningCertificate ControlID = "C13"
	HumanAndMachine    ControlID = "C14"
	LeftoverUser       ControlID = "C15"
	LeftoverKey        ControlID = "C16"
	MoreCredentials    ControlID = "C17"
	CentralRoot        ControlID = "C18"
	Evidence           ControlID = "C19"
	CredentialEvents   ControlID = "C20"
)

// Subject is the kind of thing that a control judges. Each finding concerns one
// such thing.
type Subject string

// The subjects.
const (
	SubjectRoot       Subject = "root"       // the row of the account's root user
	SubjectUser       Subject = "user"       // a user's row
	SubjectCredential Subject = "credential" // one credential of a row, or the row if it has none
	SubjectReport     Subject = "report"     // the whole report
	SubjectChange     Subject = "change"     // a change between two reports
)

// Control describes a rule as data. Its texts are plain text without line ends.
type Control struct {
	ID   ControlID
	Name string // stable, lower case with hyphens: root-no-active-key
	// Title says in a few words what the rule requires.
	Title string
	// Description says what the control judges and why that matters.
	Description string
	// Remediation says what to do about a finding.
	Remediation string
	// Rule is the exact rule. Names in braces belong to [Params].
	Rule    string
	Subject Subject
	// Columns are the columns of the report that the rule reads.
	Columns []string
	// Absent says what the rule concludes from missing values.
	Absent []AbsentValue
	// Params are the thresholds of the rule, by their names in a configuration.
	Params   []string
	Severity Severity
	// OtherSeverities are the severities that other auditors give the same
	// rule.
	OtherSeverities []OtherSeverity
	// Requirements are its names in standards and benchmarks.
	Requirements []Requirement
	// ConfigRule is the name of the AWS Config managed rule, "" if there is
	// none.
	ConfigRule string
	// Sources are the sources of the rule: names of documents, or addresses.
	Sources []string
	// CEL is an expression for the same rule. It is evaluated for everything in
	// Scope for which When is true. It is "" if there is none. Names in braces
	// belong to [Params].
	CEL, When string
	Scope     Scope
}

// AbsentValue says what a rule concludes from a missing value.
type AbsentValue struct {
	Value   string // the word in the cell, or "missing column", "unreadable", "no row"
	Column  string // the column or columns
	Verdict string // the conclusion
}

// OtherSeverity is the severity that another auditor gives.
type OtherSeverity struct {
	Auditor  string
	Severity string // in the auditor's own words
}

// Standard is the name of a standard or benchmark with its version. It is the
// id of its [Benchmark].
type Standard string

// The standards with requirements in this package.
const (
	CIS12  Standard = "cis-1.2"
	CIS14  Standard = "cis-1.4"
	CIS15  Standard = "cis-1.5"
	CIS20  Standard = "cis-2.0"
	CIS30  Standard = "cis-3.0"
	CIS401 Standard = "cis-4.0.1"
	CIS50  Standard = "cis-5.0"
	CIS60  Standard = "cis-6.0"
	CIS70  Standard = "cis-7.0"
	FSBP   Standard = "fsbp"
	PCI401 Standard = "pci-4.0.1"
	NIST53 Standard = "nist-800-53-r5"
	ISO    Standard = "iso-27001-2022"
	SOC2   Standard = "soc2-2017"
	// SecurityHub ids are control ids, such as IAM.4, whichever standard
	// contains them. It has no benchmark: fsbp is one of its standards.
	SecurityHub Standard = "security-hub"
	// Strict is Rollcall's own benchmark: all controls.
	Strict Standard = "strict"
)

// Requirement is the name of a control in a standard.
type Requirement struct {
	Standard Standard
	ID       string // such as 1.4, IAM.4, AC-2(1)
	// Suggested means that the standard does not say this itself. The mapping
	// is ours, or that of other tools.
	Suggested bool
	// Manual means that the standard requires a person to judge. Then the
	// verdict here only says what the report shows.
	Manual bool
}

// Benchmark says which controls apply, with which thresholds.
type Benchmark struct {
	ID      Standard
	Title   string // such as CIS Amazon Web Services Foundations Benchmark
	Version string // such as 7.0
	// About describes how the benchmark is applied here.
	About string
	// Controls are the controls that are judged, in order.
	Controls []ControlID
	Params   Params
	// Severities replace the severities of controls.
	Severities map[ControlID]Severity

	own []*own // see [Benchmark.With]
}

// Severity returns the severity that the benchmark gives a control.
func (b *Benchmark) Severity(c *Control) Severity {
	if s, ok := b.Severities[c.ID]; ok {
		return s
	}
	return c.Severity
}

// Params are the thresholds. Times are exact to the second: an age of 90 days
// is 90 times 24 hours.
type Params struct {
	// UnusedDays (C7, C8): a credential that was not used for that long or
	// longer fails.
	UnusedDays int `yaml:"unused_days" json:"unused_days"`
	// KeyMaxAgeDays (C9): an older key fails. A key of exactly that age passes.
	KeyMaxAgeDays int `yaml:"key_max_age_days" json:"key_max_age_days"`
	// KeyMaxAgeDaysMachine is KeyMaxAgeDays for users of the class machine.
	KeyMaxAgeDaysMachine int `yaml:"key_max_age_days_machine" json:"key_max_age_days_machine"`
	// KeyAgeRoot says whether C9 judges keys of root.
	KeyAgeRoot bool `yaml:"key_age_root" json:"key_age_root"`
	// RotationGraceDays (C10): a second key younger than that is a WARN.
	RotationGraceDays int `yaml:"rotation_grace_days" json:"rotation_grace_days"`
	// RootUsedFailDays (C4): a use of root younger than that fails.
	RootUsedFailDays int `yaml:"root_used_fail_days" json:"root_used_fail_days"`
	// RootUsedWarnDays (C4): a use of root younger than that is a WARN.
	RootUsedWarnDays int `yaml:"root_used_warn_days" json:"root_used_warn_days"`
	// SetupWindowMinutes (C11): a key that was created within that time after
	// its user counts as created at set-up.
	SetupWindowMinutes int `yaml:"setup_window_minutes" json:"setup_window_minutes"`
	// PasswordMaxAgeDays (C12): an older password fails; 0 means no limit.
	PasswordMaxAgeDays int `yaml:"password_max_age_days" json:"password_max_age_days"`
	// PasswordAgeSoleFactor limits PasswordMaxAgeDays to users without MFA.
	PasswordAgeSoleFactor bool `yaml:"password_age_sole_factor" json:"password_age_sole_factor"`
	// CertificateMaxAgeDays (C13): an older certificate of a user is a WARN.
	CertificateMaxAgeDays int `yaml:"certificate_max_age_days" json:"certificate_max_age_days"`
	// LeftoverDays (C15): a user without credentials who is older is a WARN.
	LeftoverDays int `yaml:"leftover_days" json:"leftover_days"`
	// LeftoverKeyDays (C16): an inactive key that is older is a WARN.
	LeftoverKeyDays int `yaml:"leftover_key_days" json:"leftover_key_days"`
	// ReportMaxAgeHours (C19): an older report is a WARN, and stale.
	ReportMaxAgeHours int `yaml:"report_max_age_hours" json:"report_max_age_hours"`
}

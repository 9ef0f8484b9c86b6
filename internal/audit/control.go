package audit

// ControlID names a control, such as C1 or C1b. Ids do not change and are not
// used again.
type ControlID string

// The controls. What each of them says is in its [Control].
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

// Subject is the kind of thing that a control judges: each finding is about
// one.
type Subject string

// The subjects.
const (
	SubjectRoot       Subject = "root"       // the row of the account's root
	SubjectUser       Subject = "user"       // a user's row
	SubjectCredential Subject = "credential" // one credential of a row, or the row where it has none
	SubjectReport     Subject = "report"     // the report as a whole
	SubjectChange     Subject = "change"     // what happened between two reports
)

// Control is a rule, as data. Its texts are plain text without line ends.
type Control struct {
	ID   ControlID
	Name string // stable, lower case with hyphens: root-no-active-key
	// Title says what is right, in a few words.
	Title string
	// Description says what is judged and why it matters.
	Description string
	// Remediation says what to do about a finding.
	Remediation string
	// Rule is the exact rule. Names in braces are of [Params].
	Rule    string
	Subject Subject
	// Columns are the columns of the report the rule reads.
	Columns []string
	// Absent says what the rule makes of values that are not there.
	Absent []AbsentValue
	// Params are the thresholds it uses, by their names in a configuration.
	Params   []string
	Severity Severity
	// OtherSeverities are those other auditors give the same rule.
	OtherSeverities []OtherSeverity
	// Requirements are its names in standards and benchmarks.
	Requirements []Requirement
	// ConfigRule is the name of the AWS Config managed rule, "" where none.
	ConfigRule string
	// Sources say where the rule is from: documents by name, or addresses.
	Sources []string
	// CEL is an expression that says the same as Rule of what is in Scope, if
	// When is true; "" where there is none. Names in braces are of [Params].
	CEL, When string
	Scope     Scope
}

// AbsentValue says what a rule concludes from an absent value.
type AbsentValue struct {
	Value   string // the word in the cell, or "missing column", "unreadable", "no row"
	Column  string // the column or columns meant
	Verdict string // what follows
}

// OtherSeverity is the severity another auditor gives.
type OtherSeverity struct {
	Auditor  string
	Severity string // in the auditor's own words
}

// Standard names a standard or benchmark with its version. It is the id of the
// [Benchmark] of it.
type Standard string

// The standards that have requirements here.
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
	// SecurityHub ids are control ids, such as IAM.4, in whichever of its
	// standards they are. It has no benchmark: fsbp is one of those standards.
	SecurityHub Standard = "security-hub"
	// Strict is our own benchmark: every control there is.
	Strict Standard = "strict"
)

// Requirement is the name of a control in a standard.
type Requirement struct {
	Standard Standard
	ID       string // such as 1.4, IAM.4, AC-2(1)
	// Suggested means that the standard does not speak of it in these words:
	// the mapping is ours, or that of other tools.
	Suggested bool
	// Manual means that the standard wants a person to judge it. The verdict
	// here is then what the report has to say.
	Manual bool
}

// Benchmark says which controls apply, with which thresholds.
type Benchmark struct {
	ID      Standard
	Title   string // such as CIS Amazon Web Services Foundations Benchmark
	Version string // such as 7.0
	// About says what it is to know about how it is applied here.
	About string
	// Controls are the controls judged, in their order.
	Controls []ControlID
	Params   Params
	// Severities replace those of the controls.
	Severities map[ControlID]Severity

	own []*own // see [Benchmark.With]
}

// Severity returns the severity the benchmark gives a control.
func (b *Benchmark) Severity(c *Control) Severity {
	if s, ok := b.Severities[c.ID]; ok {
		return s
	}
	return c.Severity
}

// Params are the thresholds. Times are counted exactly, in seconds: an age of
// 90 days is 90 times 24 hours.
type Params struct {
	// UnusedDays (C7, C8): a credential unused for that long or longer fails.
	UnusedDays int `yaml:"unused_days" json:"unused_days"`
	// KeyMaxAgeDays (C9): an older key fails; one of exactly that age passes.
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
	// SetupWindowMinutes (C11): a key made within that time of its user counts
	// as created at set-up.
	SetupWindowMinutes int `yaml:"setup_window_minutes" json:"setup_window_minutes"`
	// PasswordMaxAgeDays (C12): an older password fails; 0 sets no limit.
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

package render

import (
	"bufio"
	"cmp"
	"net/url"
	"path"
	"strconv"
	"strings"

	"rollcall/internal/audit"
	"rollcall/internal/escape"
	"rollcall/internal/words"
)

// sarifSchema is the address of the schema of SARIF 2.1.0 at OASIS.
const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// sarif writes findings as the results of one run of SARIF 2.1.0. The report is
// the analysed file, and a row is the location. Results are written as they
// come. Everything that is known only at the end follows.
type sarif struct {
	stream
	rules     map[audit.ControlID]int
	artifacts []sarifArtifact
	notes     []sarifNotification
	complete  bool
	line      []byte
	err       error
}

type (
	sarifText struct {
		Text string `json:"text"`
	}
	sarifRule struct {
		ID      string         `json:"id"`
		Name    string         `json:"name"`
		Short   sarifText      `json:"shortDescription"`
		Full    sarifText      `json:"fullDescription"`
		Help    sarifText      `json:"help"`
		Default sarifLevel     `json:"defaultConfiguration"`
		Props   map[string]any `json:"properties"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	sarifURI struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifPhysical struct {
		Artifact sarifURI     `json:"artifactLocation"`
		Region   *sarifRegion `json:"region,omitempty"`
	}
	sarifLogical struct {
		Name string `json:"name,omitempty"`
		Full string `json:"fullyQualifiedName,omitempty"`
		Kind string `json:"kind,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Kind         string             `json:"kind"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
		Props        map[string]any     `json:"properties"`
	}
	sarifArtifact struct {
		Location sarifURI          `json:"location"`
		Hashes   map[string]string `json:"hashes,omitempty"`
		Modified string            `json:"lastModifiedTimeUtc,omitempty"`
	}
	sarifNotification struct {
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
)

func newSARIF(b *bufio.Writer, o *Options) Output {
	s := &sarif{stream: stream{b: b, o: o}, rules: map[audit.ControlID]int{}, complete: true}
	rules := []sarifRule{}
	for i, c := range o.Benchmark.ControlList() {
		s.rules[c.ID] = i
		rules = append(rules, sarifRuleOf(c, o.Benchmark))
	}
	// GitHub takes the severity of a result from its rule. Findings that a
	// person must judge have separate rules, which raise no alarm.
	for _, c := range o.Benchmark.ControlList() {
		s.rules[manual(c.ID)] = len(rules)
		rules = append(rules, sarifManualRule(c, o.Benchmark))
	}
	driver := map[string]any{"name": o.Program, "rules": rules}
	if o.Version != "" {
		driver["version"] = o.Version
	}
	b.WriteString(`{"$schema":` + strconv.Quote(sarifSchema) + `,"version":"2.1.0","runs":[{"tool":{"driver":`)
	s.write(driver)
	b.WriteString(`},"automationDetails":`)
	s.write(map[string]string{"id": "rollcall/" + string(o.Benchmark.ID) + "/"})
	b.WriteString(`,"columnKind":"unicodeCodePoints","results":[`)
	return s
}

// write writes a value. It keeps the first error.
func (s *sarif) write(v any) {
	if s.line, s.err = escape.AppendJSON(s.line[:0], v); s.err == nil {
		s.b.Write(s.line)
	}
}

// sarifSeverity returns GitHub's number for a severity: above 9 is critical,
// above 7 high, above 4 medium.
func sarifSeverity(s audit.Severity) string {
	return [audit.NumSeverities]string{audit.Info: "0.0", audit.Low: "2.0", audit.Medium: "5.0", audit.High: "8.0",
		audit.Critical: "9.5"}[s]
}

func sarifRuleOf(c *audit.Control, b *audit.Benchmark) sarifRule {
	severity := b.Severity(c)
	tags := []string{"security", "iam"}
	for _, id := range c.RequirementIDs(b.ID) {
		tags = append(tags, string(b.ID)+"/"+id)
	}
	return sarifRule{
		ID: string(c.ID), Name: pascal(c.Name), Short: sarifText{c.Title}, Full: sarifText{c.Description},
		Help: sarifText{c.Remediation}, Default: sarifLevel{sarifLevelOf(audit.Fail, severity)},
		Props: map[string]any{"tags": tags, "precision": "very-high", "security-severity": sarifSeverity(severity)},
	}
}

// manual returns the id of a control's rule for results that a person must
// judge.
func manual(id audit.ControlID) audit.ControlID { return id + "/manual" }

func sarifManualRule(c *audit.Control, b *audit.Benchmark) sarifRule {
	r := sarifRuleOf(c, b)
	r.ID, r.Name, r.Default.Level = string(manual(c.ID)), r.Name+"ByPerson", "none"
	r.Short.Text += " (for a person to judge)"
	r.Props["security-severity"] = sarifSeverity(audit.Info)
	return r
}

// pascal returns a name with hyphens in the form of SARIF's rule names:
// RootActiveKey.
func pascal(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "-") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

// sarifKind and sarifLevelOf return the kind and the level. Only the kind fail
// allows a level other than none (SARIF 3.27.10), and viewers show nothing else
// as a problem.
func sarifKind(s audit.Status) string {
	switch s {
	case audit.Fail, audit.Warn:
		return "fail"
	case audit.Manual:
		return "review"
	case audit.NotApplicable:
		return "notApplicable"
	case audit.Pass:
		return "pass"
	default:
		return "open"
	}
}

func sarifLevelOf(s audit.Status, severity audit.Severity) string {
	switch {
	case sarifKind(s) != "fail":
		return "none"
	case s == audit.Fail && severity >= audit.High:
		return "error"
	case severity >= audit.Medium:
		return "warning"
	default:
		return "note"
	}
}

func (s *sarif) Row(row *audit.Row) error {
	for i := range row.Findings {
		if s.n++; s.n > 1 {
			s.b.WriteByte(',')
		}
		s.b.WriteByte('\n')
		if s.write(s.result(&row.Findings[i])); s.err != nil {
			return s.err
		}
	}
	return nil
}

func (s *sarif) result(f *audit.Finding) sarifResult {
	fingerprint := f.Fingerprint()
	rule := f.Control.ID
	if f.Status == audit.Manual {
		rule = manual(rule)
	}
	r := sarifResult{
		RuleID: string(rule), RuleIndex: s.rules[rule],
		Kind: sarifKind(f.Status), Level: sarifLevelOf(f.Status, f.Severity),
		Message: sarifText{subject(f) + ": " + why(f)},
		// GitHub uses primaryLocationLineHash. Otherwise it would compute one
		// from the line's text, which changes with every date in it.
		Fingerprints: map[string]string{"rollcallFinding/v1": fingerprint,
			"primaryLocationLineHash": fingerprint + ":1"},
		Props: map[string]any{
			"status": f.Status.String(), "severity": f.Severity.String(), "account": f.Account,
			"credential": f.Credential.ID(), "columns": f.ColumnNames(),
			"requirements": f.Control.RequirementIDs(s.o.Benchmark.ID),
		},
	}
	where := sarifLocation{
		Physical: sarifPhysical{Artifact: artifact(&s.src, f.Account), Region: &sarifRegion{max(f.Line, 1)}}}
	if f.ARN != "" {
		where.Logical = []sarifLogical{{Name: f.User, Full: f.ARN, Kind: "resource"}}
	}
	r.Locations = []sarifLocation{where}
	if f.Suppressed {
		said := f.Exception
		if e := s.o.exception(f.Exception); e != nil {
			said += ": " + e.Reason + " (" + e.Owner + ", " + e.Ticket + ", until " + e.Expires.String() + ")"
		}
		r.Suppressions = []sarifSuppression{{"external", "accepted", said}}
	}
	return r
}

// artifact returns the path of the report, relative to the folder from which it
// was named. For code scanning that is the root of the repository. A report
// that is not in a file has a name under which it could be saved.
func artifact(src *audit.Source, account string) sarifURI {
	name := cmp.Or(src.Path, "credential-report-"+cmp.Or(account, "unknown")+".csv")
	if path.IsAbs(name) {
		return sarifURI{URI: (&url.URL{Scheme: "file", Path: name}).String()}
	}
	return sarifURI{URI: (&url.URL{Path: name}).String(), Base: "%SRCROOT%"}
}

func (s *sarif) End(a *audit.AccountSummary) error {
	s.complete = s.complete && !a.Incomplete()
	at := artifact(&a.Source, a.Source.Account)
	if !a.Missing {
		out := sarifArtifact{Location: at, Modified: words.Time(a.Source.Generated)}
		if a.Source.SHA256 != "" {
			out.Hashes = map[string]string{"sha-256": a.Source.SHA256}
		}
		s.artifacts = append(s.artifacts, out)
	}
	for _, p := range a.Problems {
		n := sarifNotification{Level: "error", Message: sarifText{called(&a.Source) + ": " + p.Text}}
		if p.Line > 0 {
			n.Locations = []sarifLocation{{Physical: sarifPhysical{Artifact: at, Region: &sarifRegion{p.Line}}}}
		}
		s.notes = append(s.notes, n)
	}
	return nil
}

func (s *sarif) Close(sum *audit.Summary) error {
	s.b.WriteString("\n]")
	if len(s.artifacts) > 0 {
		s.b.WriteString(`,"artifacts":`)
		s.write(s.artifacts)
	}
	s.b.WriteString(`,"invocations":`)
	run := map[string]any{"executionSuccessful": s.complete && len(sum.Accounts) > 0}
	if !s.o.Now.IsZero() {
		run["endTimeUtc"] = words.Time(s.o.Now)
	}
	if len(s.notes) > 0 {
		run["toolExecutionNotifications"] = s.notes
	}
	s.write([]any{run})
	s.b.WriteString(`,"properties":`)
	s.write(map[string]any{
		"benchmark": standardName(s.o.Benchmark), "controlOutcomes": outcomesOf(&sum.Counts),
		"controls": controlCountsOf(&sum.Counts, s.o.Benchmark),
	})
	s.b.WriteString("}]}\n")
	if s.err != nil {
		return s.err
	}
	return s.b.Flush()
}

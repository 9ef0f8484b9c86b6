package render

import (
	"bufio"
	"cmp"
	"strings"
	"unicode/utf8"

	"rollcall/internal/audit"
	"rollcall/internal/escape"
	"rollcall/internal/words"
)

// asff writes findings in the AWS Security Finding Format, as one JSON array.
// BatchImportFindings accepts 100 of them at once. The length limits come from
// the format's reference.
type asff struct {
	stream
	line []byte
}

func newASFF(b *bufio.Writer, o *Options) Output {
	b.WriteByte('[')
	return &asff{stream: stream{b: b, o: o}}
}

type (
	asffFinding struct {
		SchemaVersion string
		ID            string `json:"Id"`
		ProductARN    string `json:"ProductArn"`
		ProductName   string
		CompanyName   string
		GeneratorID   string `json:"GeneratorId"`
		AccountID     string `json:"AwsAccountId"`
		Types         []string
		CreatedAt     string
		UpdatedAt     string
		Severity      asffSeverity
		Title         string
		Description   string
		Remediation   asffRemediation
		ProductFields map[string]string
		Resources     []asffResource
		Compliance    asffCompliance
		Workflow      asffWorkflow
		RecordState   string
	}
	asffSeverity struct {
		Label    string
		Original string
	}
	asffRemediation struct{ Recommendation asffText }
	asffText        struct{ Text string }
	asffResource    struct {
		Type      string
		ID        string `json:"Id"`
		Partition string
		Region    string
		Details   *asffDetails `json:",omitempty"`
	}
	asffDetails struct {
		User *asffUser `json:"AwsIamUser,omitempty"`
	}
	asffUser struct {
		UserName   string
		UserID     string `json:"UserId,omitempty"`
		CreateDate string `json:",omitempty"`
	}
	asffCompliance struct {
		Status              string
		RelatedRequirements []string       `json:",omitempty"`
		Standards           []asffStandard `json:"AssociatedStandards,omitempty"`
	}
	asffStandard struct {
		ID string `json:"StandardsId"`
	}
	asffWorkflow struct{ Status string }
)

func (a *asff) Row(row *audit.Row) (err error) {
	for i := range row.Findings {
		if row.Findings[i].Account == "" {
			continue // Security Hub would refuse the whole batch
		}
		if a.n++; a.n > 1 {
			a.b.WriteByte(',')
		}
		a.b.WriteByte('\n')
		if a.line, err = escape.AppendJSON(a.line[:0], a.finding(&row.Findings[i])); err != nil {
			return err
		}
		a.b.Write(a.line)
	}
	return nil
}

func (a *asff) Close(*audit.Summary) error {
	a.b.WriteString("\n]\n")
	return a.b.Flush()
}

func (a *asff) finding(f *audit.Finding) asffFinding {
	partition := cmp.Or(f.Partition, "aws")
	region := cmp.Or(a.o.Region, firstRegion(partition))
	at := words.Time(a.when())
	out := asffFinding{
		SchemaVersion: "2018-10-08",
		ID:            "rollcall/" + f.Account + "/" + f.Fingerprint(),
		// The product for findings of the account itself.
		ProductARN: "arn:" + partition + ":securityhub:" + region + ":" + f.Account +
			":product/" + f.Account + "/default",
		ProductName: "Rollcall", CompanyName: "Rollcall",
		GeneratorID: "rollcall/" + string(a.o.Benchmark.ID) + "/" + string(f.Control.ID),
		AccountID:   f.Account,
		Types:       []string{"Software and Configuration Checks/Industry and Regulatory Standards"},
		CreatedAt:   at, UpdatedAt: at,
		Severity:    asffSeverity{asffLabel(f), f.Severity.String()},
		Title:       atMost(string(f.Control.ID)+" "+f.Control.Title, 256),
		Description: atMost(subject(f)+": "+why(f), 1024),
		Remediation: asffRemediation{asffText{atMost(f.Control.Remediation, 512)}},
		Resources:   []asffResource{asffResourceOf(f, partition, region)},
		Compliance: asffCompliance{
			Status: asffStatus(f.Status), RelatedRequirements: asffRequirements(f.Control),
			Standards: []asffStandard{{string(a.o.Benchmark.ID)}},
		},
		Workflow: asffWorkflow{"NEW"}, RecordState: "ACTIVE",
		ProductFields: map[string]string{
			"rollcall/benchmark": standardName(a.o.Benchmark),
			"rollcall/status":    f.Status.String(), "rollcall/control": f.Control.Name,
			"rollcall/class": f.Class.String(),
		},
	}
	for name, value := range map[string]string{
		"rollcall/requirements": strings.Join(f.Control.RequirementIDs(a.o.Benchmark.ID), " "),
		"rollcall/credential":   f.Credential.ID(), "rollcall/key_ids": strings.Join(f.KeyIDs,
			" "), "rollcall/since": words.ReportTime(f.Since),
		"rollcall/exception": f.Exception, "rollcall/columns": strings.Join(f.ColumnNames(), " "),
		"rollcall/generated_at": words.Time(a.src.Generated),
	} {
		if value != "" {
			out.ProductFields[name] = atMost(value, 2048)
		}
	}
	switch {
	case f.Suppressed:
		out.Workflow.Status = "SUPPRESSED"
	case f.Status == audit.Pass || f.Status == audit.NotApplicable:
		out.Workflow.Status = "RESOLVED"
	}
	return out
}

// firstRegion returns the region of Security Hub in a partition.
func firstRegion(partition string) string {
	switch partition {
	case "aws-cn":
		return "cn-north-1"
	case "aws-us-gov":
		return "us-gov-west-1"
	case "aws-eusc":
		return "eusc-de-east-1"
	default:
		return "us-east-1"
	}
}

// asffLabel returns the severity label. It is informational if there is no
// problem, because the severity in Security Hub is that of the problem.
func asffLabel(f *audit.Finding) string {
	if f.Status == audit.Pass || f.Status == audit.NotApplicable || f.Status == audit.Manual ||
		f.Severity == audit.Info {
		return "INFORMATIONAL"
	}
	return strings.ToUpper(f.Severity.String())
}

func asffStatus(s audit.Status) string {
	switch s {
	case audit.Pass:
		return "PASSED"
	case audit.Fail:
		return "FAILED"
	case audit.Warn, audit.Manual:
		return "WARNING"
	default: // also if the check is not applicable
		return "NOT_AVAILABLE"
	}
}

func asffResourceOf(f *audit.Finding, partition, region string) asffResource {
	r := asffResource{Type: "AwsIamUser", ID: f.ARN, Partition: partition, Region: region}
	if f.User == "" || f.Class == audit.ClassRoot {
		r.Type, r.ID = "AwsAccount", "AWS::::Account:"+f.Account
		return r
	}
	user := &asffUser{UserName: f.User, CreateDate: words.ReportTime(f.UserCreated)}
	if f.Facts != nil {
		user.UserID = f.Facts.UserID
	}
	r.Details = &asffDetails{User: user}
	return r
}

// asffRequirements returns at most 32 texts of at most 64 characters.
func asffRequirements(c *audit.Control) []string {
	var all []string
	for _, r := range c.Requirements {
		if !r.Suggested && len(all) < 32 {
			all = append(all, atMost(string(r.Standard)+"/"+r.ID, 64))
		}
	}
	return all
}

// atMost returns a text cut to a number of characters.
func atMost(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

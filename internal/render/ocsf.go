package render

import (
	"bufio"
	"cmp"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/escape"
)

// DefaultOCSF is the version of the OCSF schema that AWS Security Hub accepts.
// OCSF180 is the newest one. The events written here are the same in both.
const (
	DefaultOCSF = "1.6.0"
	OCSF180     = "1.8.0"
)

// The class of OCSF: a new Compliance Finding.
const (
	ocsfCategory = 2
	ocsfClass    = 2003
	ocsfCreate   = 1
	ocsfType     = ocsfClass*100 + ocsfCreate
)

// ocsf writes each finding as an OCSF event of the class Compliance Finding,
// one per line. Times are in milliseconds, as its type timestamp_t requires.
type ocsf struct {
	stream
	line []byte
}

func newOCSF(b *bufio.Writer, o *Options) Output { return &ocsf{stream: stream{b: b, o: o}} }

type (
	ocsfEvent struct {
		ActivityID   int             `json:"activity_id"`
		ActivityName string          `json:"activity_name"`
		CategoryUID  int             `json:"category_uid"`
		CategoryName string          `json:"category_name"`
		ClassUID     int             `json:"class_uid"`
		ClassName    string          `json:"class_name"`
		TypeUID      int             `json:"type_uid"`
		TypeName     string          `json:"type_name"`
		Time         int64           `json:"time"`
		SeverityID   int             `json:"severity_id"`
		Severity     string          `json:"severity"`
		StatusID     int             `json:"status_id"`
		Status       string          `json:"status"`
		StatusCode   string          `json:"status_code"`
		Message      string          `json:"message"`
		Comment      string          `json:"comment,omitempty"`
		Metadata     ocsfMetadata    `json:"metadata"`
		Cloud        ocsfCloud       `json:"cloud"`
		FindingInfo  ocsfFinding     `json:"finding_info"`
		Compliance   ocsfCompliance  `json:"compliance"`
		Remediation  ocsfDescription `json:"remediation"`
		Resources    []ocsfResource  `json:"resources"`
		Evidences    []ocsfEvidence  `json:"evidences,omitempty"`
	}
	ocsfMetadata struct {
		Version  string      `json:"version"`
		Product  ocsfProduct `json:"product"`
		Profiles []string    `json:"profiles"`
		Code     string      `json:"event_code"`
	}
	ocsfProduct struct {
		Name    string `json:"name"`
		Vendor  string `json:"vendor_name"`
		Version string `json:"version,omitempty"`
	}
	ocsfCloud struct {
		Provider  string      `json:"provider"`
		Partition string      `json:"cloud_partition,omitempty"`
		Account   ocsfAccount `json:"account"`
	}
	ocsfAccount struct {
		UID    string `json:"uid,omitempty"`
		Name   string `json:"name,omitempty"`
		TypeID int    `json:"type_id"`
		Type   string `json:"type"`
	}
	ocsfFinding struct {
		UID      string   `json:"uid"`
		Title    string   `json:"title"`
		Desc     string   `json:"desc"`
		Types    []string `json:"types"`
		Created  int64    `json:"created_time"`
		Modified int64    `json:"modified_time"`
	}
	ocsfCompliance struct {
		Control       string      `json:"control"`
		Desc          string      `json:"desc"`
		Standards     []string    `json:"standards"`
		Requirements  []string    `json:"requirements,omitempty"`
		StatusID      int         `json:"status_id"`
		Status        string      `json:"status"`
		StatusCode    string      `json:"status_code"`
		StatusDetails []string    `json:"status_details"`
		Checks        []ocsfCheck `json:"checks"`
	}
	ocsfCheck struct {
		UID        string   `json:"uid"`
		Name       string   `json:"name"`
		Standards  []string `json:"standards"`
		StatusID   int      `json:"status_id"`
		Status     string   `json:"status"`
		SeverityID int      `json:"severity_id"`
		Severity   string   `json:"severity"`
	}
	ocsfDescription struct {
		Desc string `json:"desc"`
	}
	ocsfResource struct {
		UID       string `json:"uid,omitempty"`
		Name      string `json:"name,omitempty"`
		Type      string `json:"type"`
		Partition string `json:"cloud_partition,omitempty"`
		Data      any    `json:"data,omitempty"`
	}
	ocsfEvidence struct {
		Data any `json:"data"`
	}
)

func (o *ocsf) Row(row *audit.Row) (err error) {
	for i := range row.Findings {
		if o.line, err = escape.AppendJSON(o.line[:0], o.event(&row.Findings[i])); err != nil {
			return err
		}
		o.b.Write(append(o.line, '\n'))
	}
	return nil
}

func (o *ocsf) Close(*audit.Summary) error { return o.b.Flush() }

func (o *ocsf) event(f *audit.Finding) ocsfEvent {
	at := milliseconds(o.when())
	severityID, severity := ocsfSeverity(f.Severity)
	statusID, status := ocsfVerdict(f.Status)
	standard := standardName(o.o.Benchmark)
	e := ocsfEvent{
		ActivityID: ocsfCreate, ActivityName: "Create", CategoryUID: ocsfCategory, CategoryName: "Findings",
		ClassUID: ocsfClass, ClassName: "Compliance Finding", TypeUID: ocsfType, TypeName: "Compliance Finding: Create",
		Time: at, SeverityID: severityID, Severity: severity, StatusID: 1, Status: "New", StatusCode: f.Status.String(),
		Message: subject(f) + ": " + why(f),
		Metadata: ocsfMetadata{
			Version:  cmp.Or(o.o.OCSF, DefaultOCSF),
			Product:  ocsfProduct{Name: "Rollcall", Vendor: "Rollcall", Version: o.o.Version},
			Profiles: []string{"cloud"}, Code: string(f.Control.ID),
		},
		Cloud: ocsfCloud{Provider: "AWS", Partition: f.Partition,
			Account: ocsfAccount{UID: f.Account, Name: o.src.Name, TypeID: 10, Type: "AWS Account"}},
		FindingInfo: ocsfFinding{
			UID: f.Fingerprint(), Title: f.Control.Title, Desc: f.Control.Description, Types: []string{f.Control.Name},
			Created: at, Modified: at,
		},
		Compliance: ocsfCompliance{
			Control: string(f.Control.ID) + " " + f.Control.Name, Desc: f.Control.Description,
			Standards:    []string{standard},
			Requirements: f.Control.RequirementIDs(o.o.Benchmark.ID), StatusID: statusID, Status: status,
			StatusCode: f.Status.String(), StatusDetails: []string{f.Reason.String()},
			Checks: []ocsfCheck{{
				UID: string(f.Control.ID), Name: f.Control.Title, Standards: []string{standard},
				StatusID: statusID, Status: status, SeverityID: severityID, Severity: severity,
			}},
		},
		Remediation: ocsfDescription{f.Control.Remediation},
		Resources:   []ocsfResource{ocsfResourceOf(f)},
		Evidences:   []ocsfEvidence{{findingOf(f, o.o.Benchmark, &o.src, o.asOf())}},
	}
	if f.Suppressed {
		e.StatusID, e.Status = 3, "Suppressed"
		e.Comment = f.Exception
		if x := o.o.exception(f.Exception); x != nil {
			e.Comment += ": " + x.Reason
		}
	}
	return e
}

func milliseconds(t time.Time) int64 { return t.UnixMilli() }

func ocsfSeverity(s audit.Severity) (id int, name string) {
	switch s {
	case audit.Critical:
		return 5, "Critical"
	case audit.High:
		return 4, "High"
	case audit.Medium:
		return 3, "Medium"
	case audit.Low:
		return 2, "Low"
	default:
		return 1, "Informational"
	}
}

// ocsfVerdict returns the compliance status. OCSF has Warning for a check
// without a result, and AWS uses it for warnings too. status_code distinguishes
// them.
func ocsfVerdict(s audit.Status) (id int, name string) {
	switch s {
	case audit.Pass:
		return 1, "Pass"
	case audit.Fail:
		return 3, "Fail"
	case audit.NoData, audit.Warn:
		return 2, "Warning"
	case audit.Manual:
		return 99, "Manual"
	default:
		return 99, "Not Applicable"
	}
}

func ocsfResourceOf(f *audit.Finding) ocsfResource {
	r := ocsfResource{UID: f.ARN, Name: f.User, Type: "AWS::IAM::User", Partition: f.Partition}
	switch {
	case f.User == "": // the whole report
		r.UID, r.Name, r.Type = cmp.Or(f.ARN, f.Account), f.Account, "AWS::::Account"
	case f.Class == audit.ClassRoot:
		r.Type = "AWS::::Account"
	}
	return r
}

// standardName returns the common name of the benchmark with its version.
func standardName(b *audit.Benchmark) string {
	if b.Version == "" {
		return b.Title
	}
	return b.Title + " " + b.Version
}

package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/audit"
	"rollcall/internal/identity"
	"rollcall/internal/judged"
	"rollcall/internal/words"
)

const (
	reportPath    = "/console/report"
	reportCSVPath = "/console/report/csv"
)

// reportPages returns the pages of the credential report: its table, its bytes,
// one user, its history and comparisons.
func (c *Console) reportPages() []page {
	return []page{
		{
			path:  reportPath,
			title: "Credential report",
			nav:   "report",
			get:   c.reportPage,
			post:  posts{"generate": c.generateReport},
		},
		{path: reportCSVPath, title: "Credential report", nav: "report", get: c.reportCSV},
		{path: reportUserPath, title: "A user in the report", nav: "report", get: c.reportUser},
		{path: historyPath, title: "History of the credential report", nav: "report", get: c.history},
		{path: comparePath, title: "Compare two credential reports", nav: "report", get: c.compare},
	}
}

// reportView is the data of the page.
type reportView struct {
	Denied   string
	Generate button
	// Making says whether a report is being generated.
	Making bool
	Report *reportHead
	Table  *reportTable
}

// reportHead says which report the page shows.
type reportHead struct {
	Made    moment
	Newest  bool
	Latest  string // the address of the newest report
	CSV     string
	Size    string
	History string
	Compare string // the address of the comparison with the previous one, "" for none
	// Problems are the parts that could not be judged. Whole are the findings
	// about the whole report.
	Problems []string
	Whole    []findingLine
}

func (c *Console) reportPage(v *visit) error {
	s := reportView{Generate: v.generateButton()}
	if v.query("wait") != "" {
		return v.waitForReport(s)
	}
	at, err := v.at("at")
	if err != nil {
		return err
	}
	form, err := v.tableForm()
	if err != nil {
		return err
	}
	of, err := v.report(at)
	switch {
	case err != nil:
		s.Denied = v.explain(err).sentence()
		return v.show(s.html())
	case of == nil && !at.IsZero():
		return &problem{Status: http.StatusNotFound, Text: "No report is kept from that time or before."}
	case of == nil:
		return v.show(s.html())
	}
	all, err := v.judge(&of.Report, form.benchmark)
	if errors.Is(err, errNotYet) {
		return v.wait("The report is being read and judged.")
	}
	if err != nil {
		return err
	}
	s.Report = v.reportHead(of, all)
	if s.Table, err = v.reportTable(form, all); err != nil {
		return err
	}
	return v.show(s.html())
}

// sentence returns the text for a part of a page that was refused.
func (p *problem) sentence() string {
	switch p.Code {
	case "ReportInProgress":
		return "A report is being generated."
	case "ReportExpired":
		return "The newest report is too old to be given. Make a new one."
	}
	if p.Text == "" {
		return p.Code
	}
	return p.Text
}

func (v *visit) generateButton() button {
	return button{
		Do: "generate", Label: "Make a new report", Action: reportPath,
		Denied: may(v, v.iam.GenerateCredentialReport, &iam.GenerateCredentialReportInput{}),
	}
}

// generateReport requests a new report. The service may reuse a recent one.
func (c *Console) generateReport(v *visit) error {
	out, err := do(v, c.iam.GenerateCredentialReport, &iam.GenerateCredentialReportInput{})
	if err != nil {
		return v.again(err, c.reportPage)
	}
	if out.State == types.ReportStateTypeComplete {
		return v.done(reportPath, "The newest report is so young that the service did not make another one.")
	}
	return v.to(link(reportPath, "wait", string(out.State)))
}

// waitForReport shows that a report is being generated until it exists.
func (v *visit) waitForReport(s reportView) error {
	_, err := do(v, v.iam.GetCredentialReport, &identity.GetCredentialReportInput{})
	switch {
	case coded(err, "ReportInProgress"):
		s.Making = true
		v.reload(1)
		return v.show(s.html())
	case coded(err, "ReportNotPresent"):
		return v.done(reportPath, "The report could not be generated. The log of the service says why.")
	case err != nil:
		s.Denied = v.explain(err).sentence()
		return v.show(s.html())
	}
	return v.done(reportPath, "The report is complete.")
}

func (v *visit) reportHead(of *chosen, all *judged.Report) *reportHead {
	made := of.Generated
	h := &reportHead{
		Made: v.when(&made, ""), Newest: of.newest(), Latest: v.with("at", "", "page", ""),
		CSV: link(reportCSVPath, "at", stamp(&of.Report)), Size: bytesInWords(of.Size),
		History: historyPath,
	}
	if before := of.before(); before != nil {
		h.Compare = link(comparePath, "old", stamp(before), "new", stamp(&of.Report), "benchmark", v.query("benchmark"))
	}
	for _, p := range all.Account.Problems {
		h.Problems = append(h.Problems, p.Text)
	}
	for i := range all.Whole {
		h.Whole = append(h.Whole, lineOf(&all.Whole[i]))
	}
	return h
}

// bytesInWords returns a size in a readable unit.
func bytesInWords(n int64) string {
	switch {
	case n < 10_000:
		return words.Count(n, "byte")
	case n < 10_000_000:
		return fmt.Sprintf("%d kB", n/1000)
	}
	return fmt.Sprintf("%d MB", n/1_000_000)
}

// with returns the address of this page with changed query parameters.
func (v *visit) with(query ...string) string {
	q := v.r.URL.Query()
	for i := 0; i+1 < len(query); i += 2 {
		if q.Set(query[i], query[i+1]); query[i+1] == "" {
			q.Del(query[i])
		}
	}
	return address(v.r.URL.Path, q)
}

func address(path string, q url.Values) string {
	for name, values := range q {
		if q[name] = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" }); len(
			q[name],
		) == 0 {
			delete(q, name)
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// reportCSV sends a report with the exact bytes of GetCredentialReport.
func (c *Console) reportCSV(v *visit) error {
	at, err := v.at("at")
	if err != nil {
		return err
	}
	of, err := v.report(at)
	if err != nil {
		return err
	}
	if of == nil {
		return &problem{Status: http.StatusNotFound, Text: "There is no such report."}
	}
	made := of.content.GeneratedTime.UTC().Format("20060102T150405Z")
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="credential-report-`+v.account()+`-`+made+`.csv"`)
	h.Set("Content-Length", strconv.FormatInt(of.content.Content.Size, 10))
	v.w.WriteHeader(v.status)
	if v.r.Method == http.MethodHead {
		return nil
	}
	if err := of.content.Content.WriteTo(v.w); err != nil {
		v.log.DebugContext(v.r.Context(), "report not delivered", "error", err)
	}
	return nil
}

// findingLine is a finding in a line of a page.
type findingLine struct {
	Status, Class string // in words, and its class in the style
	Severity      string
	Control       string
	Title         string
	Reason        string
	More          string // the exception that applies
}

func lineOf(f *audit.Finding) findingLine {
	l := findingLine{
		Status: statusWord(f.Status), Class: statusClass(f.Status, f.Suppressed), Severity: f.Severity.String(),
		Control: string(f.Control.ID), Title: f.Control.Title, Reason: f.Reason.String(),
	}
	if f.Suppressed {
		l.Status += " excused"
		l.More = "Exception " + f.Exception
	}
	return l
}

func statusWord(s audit.Status) string {
	return [audit.NumStatuses]string{"NO DATA", "FAIL", "WARN", "MANUAL", "NOT APPLICABLE", "PASS"}[s]
}

// statusClass returns the style class of a verdict.
func statusClass(s audit.Status, excused bool) string {
	if excused {
		return "excused"
	}
	return [audit.NumStatuses]string{"no-data", "fail", "warn", "manual", "na", "pass"}[s]
}

// aged returns the age of t at another time.
func aged(t, asOf time.Time) string {
	if ago := asOf.Sub(t); ago >= 0 {
		return words.ShortAge(ago)
	}
	return "in " + words.ShortAge(t.Sub(asOf))
}

package console

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/audit/plan"
	"rollcall/internal/judged"
	"rollcall/report"
)

const (
	findingsPath = "/console/findings"
	planPath     = "/console/findings/plan"
)

func (c *Console) findingsPages() []page {
	return []page{
		{path: findingsPath, title: "Findings", nav: "findings", get: c.findings},
		{path: planPath, title: "Plan", nav: "findings", get: c.plan},
	}
}

// findingsView is the data of the page: all controls, or the findings of one.
type findingsView struct {
	Denied     string
	Generate   button
	Report     *reportHead
	Benchmark  choice
	Title      string // title of the benchmark
	About      string
	Outcome    string
	Heads      []string
	Controls   []controlRow
	Exceptions []exceptionRow
	Plan       *planView
	One        *controlRow
	All        string // the address of the page with all controls
	Lines      []foundLine
	Pages      pages
}

// foundLine is a finding and the user that it concerns.
type foundLine struct {
	findingLine
	User, Link string
	Credential string
	Since      tableCell
}

type exceptionRow struct {
	ID, State, Class            string
	Matched                     string
	Control, For                string
	Reason, Owner, Ticket, Ends string
}

func (c *Console) findings(v *visit) error {
	s := findingsView{Generate: v.generateButton(), Heads: []string{"FAIL", "NO DATA", "WARN", "MANUAL", "excused"}}
	b, err := v.benchmark()
	if err != nil {
		return err
	}
	of, err := v.report(time.Time{})
	if err != nil {
		s.Denied = v.explain(err).sentence()
		return v.show(s.html())
	}
	if of == nil {
		return v.show(s.html())
	}
	all, err := v.judge(&of.Report, b)
	if errors.Is(err, errNotYet) {
		return v.wait("The report is being read and judged.")
	}
	if err != nil {
		return err
	}
	s.Report, s.Benchmark, s.Title, s.About = v.reportHead(of, all), v.benchmarks(b), b.Title+" "+b.Version, b.About
	if id := v.query("control"); id != "" {
		return v.findingsOf(s, all, id)
	}
	s.Outcome, s.Controls = all.Account.Counts.OutcomesInWords(), v.controlRows(all)
	s.Exceptions = exceptionRows(all.Summary.Exceptions, v.account())
	s.Plan = &planView{Start: v.now().UTC().Format(time.DateOnly), Benchmark: v.query("benchmark")}
	return v.show(s.html())
}

// findingsOf lists the findings of one control.
func (v *visit) findingsOf(s findingsView, all *judged.Report, id string) error {
	for i := range all.Account.Counts.Controls {
		if c := &all.Account.Counts.Controls[i]; string(c.Control.ID) == id {
			row := v.controlRow(c, all.Summary.Benchmark)
			s.One = &row
		}
	}
	if s.One == nil {
		return &problem{Status: http.StatusNotFound, Text: "The benchmark has no control " + id + "."}
	}
	page, err := v.number("page", maxRows)
	if err != nil {
		return err
	}
	found := all.Search(judged.Query{Control: audit.ControlID(id)})
	const per = 50
	last := max(1, (len(found.Rows)+per-1)/per)
	page = min(max(1, page), last)
	from := (page - 1) * per
	shown := found.Rows[from:min(len(found.Rows), from+per)]
	rows, err := all.Rows(v.r.Context(), shown)
	if err != nil {
		return err
	}
	if page == 1 {
		for i := range found.Whole {
			s.Lines = append(s.Lines, v.foundLine(&found.Whole[i], all.Account.AsOf))
		}
	}
	for i := range rows {
		for j := range rows[i].Findings {
			if f := &rows[i].Findings[j]; string(f.Control.ID) == id {
				s.Lines = append(s.Lines, v.foundLine(f, all.Account.AsOf))
			}
		}
	}
	s.All, s.Pages = v.judgedLink(findingsPath), v.pagesOf(page, last, from, len(shown), len(found.Rows))
	return v.showAs(id+" "+s.One.Title, s.html())
}

func (v *visit) foundLine(f *audit.Finding, asOf time.Time) foundLine {
	l := foundLine{findingLine: lineOf(f), User: f.User, Credential: f.Credential.ID()}
	if f.Line > 0 || f.User != "" && f.User != report.RootUser {
		l.Link = v.judgedLink(reportUserPath, "name", f.User)
	}
	if at, ok := f.Since.Value(); ok {
		l.Since = tableCell{Time: at.Format(time.RFC3339), Text: aged(at, asOf)}
	}
	return l
}

// exceptionRows returns the exceptions for an account. It omits those of other
// accounts.
func exceptionRows(uses []audit.ExceptionUse, account string) (rows []exceptionRow) {
	for _, u := range uses {
		e := &u.Exception
		if e.Account != account && (!strings.ContainsAny(e.Account, "*?") || u.State == audit.ExceptionUntested) {
			continue
		}
		class := map[audit.ExceptionState]string{
			audit.ExceptionActive: "pass", audit.ExceptionExpiring: "warn", audit.ExceptionExpired: "fail",
			audit.ExceptionUnmatched: "warn",
		}[u.State]
		rows = append(rows, exceptionRow{
			ID: e.ID, State: string(u.State), Class: class, Matched: thousands(u.Matched), Control: e.Control,
			For: strings.TrimSpace(e.User + e.ARN + e.Path + " " + e.Credential), Reason: e.Reason, Owner: e.Owner,
			Ticket: e.Ticket, Ends: e.Expires.String(),
		})
	}
	return rows
}

// planView is the data of the form for a plan.
type planView struct{ Start, Benchmark string }

type planKey struct {
	judgedKey
	start    string
	endpoint string
}

// plan sends the remediation plan that 'rollcall plan' would write.
func (c *Console) plan(v *visit) error {
	b, err := v.benchmark()
	if err != nil {
		return err
	}
	start := v.query("start")
	day := v.now().UTC()
	if start != "" {
		if day, err = time.Parse(time.DateOnly, start); err != nil {
			return &problem{Status: http.StatusBadRequest, Text: "This is not a day such as 2026-01-31: " + start}
		}
	}
	form := map[string][2]string{
		"": {"sh", "text/x-shellscript"}, "md": {"md", "text/markdown"}, "json": {"json", "application/json"},
	}
	as, ok := form[v.query("format")]
	if !ok {
		return &problem{Status: http.StatusBadRequest, Text: "A plan is a script, md or json."}
	}
	of, err := v.report(time.Time{})
	if err != nil {
		return err
	}
	if of == nil {
		return &problem{Status: http.StatusNotFound, Text: "There is no report to plan by."}
	}
	p, err := v.planned(of, b, day)
	if errors.Is(err, errNotYet) {
		return v.wait("The plan is being written. The browser saves it when it is ready.")
	}
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", as[1]+"; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="plan-`+v.account()+"-"+day.Format(time.DateOnly)+"."+as[0]+`"`)
	v.w.WriteHeader(v.status)
	if v.r.Method == http.MethodHead {
		return nil
	}
	switch as[0] {
	case "md":
		err = p.Markdown(v.w)
	case "json":
		err = p.JSON(v.w, "rollcall")
	default:
		err = p.Script(v.w, "rollcall")
	}
	if err != nil {
		v.log.DebugContext(v.r.Context(), "plan not delivered", "error", err)
	}
	return nil
}

// planned creates a plan for the newest report, for use with this service.
func (v *visit) planned(of *chosen, b *audit.Benchmark, start time.Time) (*plan.Plan, error) {
	endpoint := v.url
	if endpoint == "" {
		endpoint = "http://" + v.r.Host // without a configured URL, the host is this machine
	}
	key := planKey{judgedKey{of.Account, of.Token, b.ID}, start.Format(time.DateOnly), endpoint}
	c, r := v.Console, of.Report
	work := func(ctx context.Context) (*plan.Plan, int64, error) {
		o, err := c.options(b)
		if err != nil {
			return nil, 0, err
		}
		o.Statuses, o.Top = audit.SetOf(audit.Fail, audit.Warn), 1
		auditor, err := audit.New(o)
		if err != nil {
			return nil, 0, err
		}
		p, err := plan.New(plan.Options{Start: start, Now: c.now(), Classes: o.Classes})
		if err != nil {
			return nil, 0, err
		}
		content, err := c.open(ctx, &r)
		if err != nil {
			return nil, 0, err
		}
		defer content.Close()
		src := source(&r)
		p.Begin(src, plan.Service{Known: true, Endpoint: endpoint}, src.Generated)
		found, err := auditor.Audit(ctx, content, src, nil, p.Row)
		if err != nil {
			return nil, 0, err
		}
		if err := p.End(found); err != nil {
			return nil, 0, err
		}
		return p, int64(p.Total+5*plan.DefaultMost) << 10, nil
	}
	return shelved(v, key, patience(&r), work)
}

package console

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/internal/html"
	"rollcall/internal/judged"
	"rollcall/internal/store"
	"rollcall/internal/timeline"
	"rollcall/internal/words"
	"rollcall/report"
)

const reportUserPath = "/console/report/user"

// reportUserView is the data of the page of one row.
type reportUserView struct {
	User     string
	Class    string
	Link     string // address of the user's own page, "" if there is none
	Report   string // address of the report
	Made     moment
	Findings []adviceLine
	Cells    []tableCell
	Timeline *timelineView
	Later    bool // the timeline is not ready yet
}

// adviceLine is a finding with its remediation.
type adviceLine struct {
	findingLine
	Advice string
}

type timelineView struct {
	Reports string
	Changes []changeLine
	More    int
}

// changeLine is a change between two reports.
type changeLine struct {
	At       moment
	Since    string
	Severity string
	What     string
	Class    string // style class
	Text     string
}

func (c *Console) reportUser(v *visit) error {
	at, err := v.at("at")
	if err != nil {
		return err
	}
	b, err := v.benchmark()
	if err != nil {
		return err
	}
	of, err := v.report(at)
	if err != nil {
		return err
	}
	name := v.query("name")
	nobody := &problem{Status: http.StatusNotFound, Text: "The report has no row of " + name + "."}
	if of == nil {
		return nobody
	}
	all, err := v.judge(&of.Report, b)
	if errors.Is(err, errNotYet) {
		return v.wait("The report is being read and judged.")
	}
	if err != nil {
		return err
	}
	place := all.Find(name)
	if place < 0 {
		return nobody
	}
	rows, err := all.Rows(v.r.Context(), []int32{place})
	if err != nil {
		return err
	}
	s := v.reportUserView(&rows[0], of, all.Account.AsOf)
	s.Timeline, err = v.timeline(of, rows[0].Report.User, b)
	if errors.Is(err, errNotYet) {
		s.Later = true
		v.reload(2)
	} else if err != nil {
		return err
	}
	return v.showAs(name, s.html())
}

func (v *visit) reportUserView(row *judged.Row, of *chosen, asOf time.Time) reportUserView {
	made := of.Generated
	s := reportUserView{
		User: row.Report.User, Class: row.Class.String(), Made: v.when(&made, ""),
		Report: link(reportPath, "at", v.query("at"), "benchmark", v.query("benchmark")),
	}
	if v.pages[userPath] != nil && !row.Report.IsRoot() {
		s.Link = link(userPath, "name", row.Report.User)
	}
	for i := range row.Findings {
		f := &row.Findings[i]
		s.Findings = append(s.Findings, adviceLine{lineOf(f), f.Control.Remediation})
	}
	for _, c := range report.KnownColumns() {
		if c.Name != "user" {
			cell := reportCell(c, &row.Report, asOf)
			cell.Label = c.Name
			s.Cells = append(s.Cells, cell)
		}
	}
	return s
}

// timelineReports limits the number of reports that a timeline or a trend
// reads.
const timelineReports = 12

// spread returns the reports of a timeline, oldest first: the last one of each
// day, or all if they are of one day. It limits them to the newest.
func spread(history []store.Report) []store.Report {
	var daily []store.Report
	for _, r := range history {
		n := len(daily)
		if n == 0 || daily[n-1].Generated.Format(time.DateOnly) != r.Generated.Format(time.DateOnly) {
			daily = append(daily, r)
		}
	}
	if len(daily) == 1 {
		daily = slices.Clone(history)
	}
	daily = daily[:min(len(daily), timelineReports)]
	slices.Reverse(daily)
	return daily
}

// upTo returns the history up to the chosen report.
func (c *chosen) upTo() []store.Report {
	for i := range c.history {
		if c.history[i].Token == c.Token {
			return c.history[i:]
		}
	}
	return nil
}

type timelineKey struct {
	judgedKey
	user string
}

// timeline returns the changes of a user up to a report.
func (v *visit) timeline(of *chosen, user string, b *audit.Benchmark) (*timelineView, error) {
	key := timelineKey{judgedKey{of.Account, of.Token, b.ID}, user}
	some := spread(of.upTo())
	several := make([]*store.Report, len(some))
	for i := range some {
		several[i] = &some[i]
	}
	c := v.Console
	h, err := shelved(v, key, patience(several...), func(ctx context.Context) (*html.History, int64, error) {
		h, err := c.readTimeline(ctx, some, user, b)
		return h, 1000 + 500*int64(len(h.Changes)), err
	})
	if err != nil {
		return nil, err
	}
	return v.timelineView(h), nil
}

// readTimeline compares the rows of one user in several reports.
func (c *Console) readTimeline(
	ctx context.Context, some []store.Report, user string, b *audit.Benchmark,
) (*html.History, error) {
	o, err := c.options(b)
	if err != nil {
		return &html.History{}, err
	}
	var of []diff.Report
	for i := range some {
		row, err := c.rowOf(ctx, &some[i], user)
		if errors.Is(err, store.ErrNotFound) {
			continue // it was deleted in the meantime
		}
		if err != nil {
			return &html.History{}, err
		}
		of = append(of, diff.Report{Source: source(&some[i]), Open: func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(row)), nil
		}})
	}
	h, err := timeline.Of(ctx, some[0].Account, "", of, o)
	h.Changes = slices.DeleteFunc(h.Changes, func(c html.Change) bool { return !strings.EqualFold(c.User, user) })
	slices.SortStableFunc(h.Changes, func(a, b html.Change) int { return b.At.Compare(a.At) })
	return &h, err
}

// rowOf reads a report with only the row of one user. Names are compared
// without regard to case. No name contains a line end.
func (c *Console) rowOf(ctx context.Context, r *store.Report, user string) ([]byte, error) {
	content, err := c.open(ctx, r)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	alone, err := report.NewColumns("user")
	if err != nil {
		return nil, err
	}
	begins := append(alone.AppendRow(nil, &report.Row{User: user}), ',')
	lines := bufio.NewReaderSize(content, 64<<10)
	header, err := lines.ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > len(begins) && bytes.EqualFold(line[:len(begins)], begins) {
			return append(header, line...), nil
		}
		switch {
		case errors.Is(err, io.EOF):
			return bytes.TrimSuffix(header, []byte("\n")), nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// maxChanges limits the changes of a user on a page.
const maxChanges = 100

func (v *visit) timelineView(h *html.History) *timelineView {
	titles := changeTitles()
	t := &timelineView{Reports: words.Count(len(h.Snapshots), "report")}
	for _, change := range h.Changes {
		if len(t.Changes) == maxChanges {
			t.More = len(h.Changes) - maxChanges
			break
		}
		t.Changes = append(t.Changes, v.changeLine(&change, titles))
	}
	return t
}

func changeTitles() map[audit.EventKind]string {
	titles := map[audit.EventKind]string{html.NewlyFailing: "Newly failing", html.Fixed: "Fixed"}
	for _, e := range audit.Events() {
		titles[e.Kind] = e.Title
	}
	return titles
}

func (v *visit) changeLine(c *html.Change, titles map[audit.EventKind]string) changeLine {
	l := changeLine{
		At: v.when(&c.At, ""), Since: words.Time(c.Since), Severity: c.Severity.String(), What: titles[c.Kind],
		Text: c.Text,
	}
	switch c.Kind {
	case html.NewlyFailing:
		l.Class = "fail"
	case html.Fixed:
		l.Class = "pass"
	}
	if c.Control != "" {
		l.What += " " + string(c.Control)
	}
	return l
}

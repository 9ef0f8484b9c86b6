package console

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/internal/audit/diff/show"
	"rollcall/internal/html"
	"rollcall/internal/judged"
	"rollcall/internal/store"
	"rollcall/internal/words"
)

const overviewPath = "/console/overview"

func (c *Console) overviewPages() []page {
	return []page{{path: overviewPath, title: "Overview", nav: "overview", get: c.overview}}
}

// overviewView is the data of the overview page: the account in its newest
// report.
type overviewView struct {
	Denied    string
	Generate  button
	Managed   bool // the account manages others
	Report    *reportHead
	Benchmark choice
	Tiles     []tile
	KeyAges   *keyAges
	Outcome   string
	Controls  []controlRow // those that fail or warn, the worst first
	Findings  string       // the address of all findings
	Change    *changeView
	Trend     *trendView
}

// tile is a figure that links to its rows.
type tile struct {
	Figure, Text string
	Link         string
	Class        string
}

// keyAges counts active keys by age and last use.
type keyAges struct {
	Idle []string
	Rows []keyAgeRow
}

type keyAgeRow struct {
	Age   string
	Cells []tile
	All   tile
}

// changeView is the data of the changes since the previous report.
type changeView struct {
	Since   moment
	Later   bool // it is still being computed
	Outcome string
	Link    string
	New     []compareLine
	More    int
}

// trendView is the data of the figures of earlier reports.
type trendView struct {
	Later bool
	Width int
	Rows  []trendRow
}

// box returns the extent of the picture.
func (t *trendView) box() string { return "0 0 " + strconv.Itoa(t.Width) + " 62" }

type trendRow struct {
	Made               moment
	Link               string
	Left               int         // where the bar begins
	Parts              []trendPart // of the bar
	TextFail, TextUser string
	TextKeys           string
}

// trendPart is the part of a bar for one severity.
type trendPart struct {
	Severity    string
	Top, Height int
}

func (c *Console) overview(v *visit) error {
	s := overviewView{Generate: v.generateButton()}
	b, err := v.benchmark()
	if err != nil {
		return err
	}
	if s.Managed, err = v.manages(); err != nil {
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
	s.Report, s.Benchmark = v.reportHead(of, all), v.benchmarks(b)
	s.Tiles, s.KeyAges = v.tiles(&all.Account.Stats), v.keyAges(&all.Account.Stats)
	s.Outcome, s.Findings = all.Account.Counts.OutcomesInWords(), v.judgedLink(findingsPath)
	s.Controls = slices.DeleteFunc(
		v.controlRows(all),
		func(r controlRow) bool { return r.Outcome != "FAIL" && r.Outcome != "WARN" },
	)
	if s.Change, err = v.lastChange(of, b); err != nil {
		return err
	}
	if s.Trend, err = v.trend(of, b); err != nil {
		return err
	}
	if s.Change != nil && s.Change.Later || s.Trend.Later {
		v.reload(2)
	}
	return v.show(s.html())
}

// judgedLink returns the address of a page with a query and the benchmark of
// this page.
func (v *visit) judgedLink(path string, query ...string) string {
	return link(path, append(query, "benchmark", v.query("benchmark"))...)
}

func (v *visit) tiles(st *audit.Stats) []tile {
	one := func(n int, noun, rest, class string, query ...string) tile {
		t := tile{Link: v.judgedLink(reportPath, query...)}
		t.Figure, t.Text, _ = strings.Cut(counted(n, noun)+rest, " ")
		if n > 0 {
			t.Class = class
		}
		return t
	}
	people := one(st.HumanUsers, "person", "", "", "class", "human")
	if st.HumanUsers != 1 {
		people.Text = "people"
	}
	return []tile{
		one(st.Rows, "row", ", root included", ""),
		people,
		one(st.MachineUsers, "machine", "", "", "class", "machine"),
		one(st.ConsoleUsers, "console user", "", "", "mfa", "console"),
		one(st.ConsoleUsersMFA, "console user", " with MFA", "", "mfa", "yes"),
		one(st.ConsoleUsers-st.ConsoleUsersMFA, "console user", " without MFA", "fail", "mfa", "no"),
		one(st.ActiveKeys, "active key", "", "", "keys", "active"),
		one(st.InactiveKeys, "inactive key", "", "", "keys", "inactive"),
	}
}

func (v *visit) keyAges(st *audit.Stats) *keyAges {
	if st.ActiveKeys == 0 {
		return nil
	}
	k := &keyAges{Idle: keyIdleNames()}
	for age, name := range keyAgeNames() {
		row := keyAgeRow{Age: name}
		all := 0
		for idle, n := range st.KeyAges[age] {
			row.Cells = append(row.Cells, tile{
				Figure: thousands(n), Text: k.Idle[idle],
				Link: v.judgedLink(reportPath, "age", strconv.Itoa(age+1), "idle", strconv.Itoa(idle+1)),
			})
			all += n
		}
		row.All = tile{Figure: thousands(all), Link: v.judgedLink(reportPath, "age", strconv.Itoa(age+1))}
		k.Rows = append(k.Rows, row)
	}
	return k
}

// lastChange compares the newest report with the previous one. It returns nil
// if there is none.
func (v *visit) lastChange(of *chosen, b *audit.Benchmark) (*changeView, error) {
	before := of.before()
	if before == nil {
		return nil, nil
	}
	c := &changeView{
		Since: v.when(&before.Generated, ""),
		Link:  v.judgedLink(comparePath, "old", stamp(before), "new", stamp(&of.Report)),
	}
	found, err := v.comparison(before, &of.Report, b)
	if errors.Is(err, errNotYet) {
		c.Later = true
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	c.Outcome = show.Outcome(&found.account.Counts)
	const most = 5
	for _, one := range found.findings[diff.New].all[:min(most, len(found.findings[diff.New].all))] {
		c.New = append(c.New, v.compareLine(&one.value, stamp(&of.Report)))
	}
	c.More = found.findings[diff.New].total - len(c.New)
	return c, nil
}

type trendKey struct{ judgedKey }

// trend returns the figures of the reports up to the chosen one.
func (v *visit) trend(of *chosen, b *audit.Benchmark) (*trendView, error) {
	some := spread(of.upTo())
	several := make([]*store.Report, len(some))
	for i := range some {
		several[i] = &some[i]
	}
	c := v.Console
	work := func(ctx context.Context) ([]html.Snapshot, int64, error) {
		found, err := c.readTrend(ctx, some, b)
		return found, 4 << 10, err
	}
	all, err := shelved(v, trendKey{judgedKey{of.Account, of.Token, b.ID}}, patience(several...), work)
	if errors.Is(err, errNotYet) {
		return &trendView{Later: true}, nil
	}
	if err != nil {
		return nil, err
	}
	return v.trendView(all), nil
}

func (c *Console) readTrend(ctx context.Context, some []store.Report, b *audit.Benchmark) ([]html.Snapshot, error) {
	o, err := c.options(b)
	if err != nil {
		return nil, err
	}
	o.Top = -1
	auditor, err := audit.New(o)
	if err != nil {
		return nil, err
	}
	var all []html.Snapshot
	for i := range some {
		content, err := c.open(ctx, &some[i])
		if errors.Is(err, store.ErrNotFound) {
			continue // it was deleted in the meantime
		}
		if err != nil {
			return nil, err
		}
		of, err := auditor.Audit(ctx, content, source(&some[i]), nil, nil)
		content.Close()
		if err != nil {
			return nil, err
		}
		all = append(all, html.SnapshotOf(of))
	}
	return all, nil
}

// The size of the picture of a trend.
const (
	barWidth  = 34
	barHeight = 60
)

func (v *visit) trendView(all []html.Snapshot) *trendView {
	t := &trendView{Width: len(all) * barWidth}
	most := 1
	for _, s := range all {
		most = max(most, s.Findings[audit.Fail])
	}
	for i, s := range all {
		t.Rows = append(t.Rows, trendRow{
			Made: v.when(&s.Generated, ""), Link: v.judgedLink(reportPath, "at", words.Time(s.Generated)),
			Left: i*barWidth + 4, Parts: trendParts(&s, most),
			TextFail: thousands(s.Findings[audit.Fail]), TextUser: thousands(s.Users), TextKeys: thousands(s.Keys),
		})
	}
	return t
}

// trendParts stacks what fails in a report by severity, the heaviest on top. A bar
// of the most findings is as high as the picture.
func trendParts(s *html.Snapshot, most int) (parts []trendPart) {
	below := 0
	for severity, n := range s.Failing {
		from, to := below*barHeight/most, (below+n)*barHeight/most
		below += n
		if to > from {
			parts = append(parts, trendPart{audit.Severity(severity).String(), barHeight - to, to - from})
		}
	}
	return parts
}

// controlRow is a control and its result.
type controlRow struct {
	ID, Title, Severity string
	Items               string // the benchmark's name for it
	Outcome, Class      string
	Counts              []tile
	Link                string
	Description         string
	Rule, Remediation   string
}

// importance returns the severity, with the benchmark's name for the control.
func (c *controlRow) importance() string {
	if c.Items == "" {
		return c.Severity
	}
	return c.Severity + " · " + c.Items
}

// controlRows returns the controls of the benchmark, the worst first.
func (v *visit) controlRows(all *judged.Report) []controlRow {
	counts := slices.Clone(all.Account.Counts.Controls)
	b := all.Summary.Benchmark
	weight := func(c *audit.ControlCounts) int {
		outcome, excused := c.Outcome()
		if excused {
			return 1
		}
		of := [audit.NumStatuses]int{audit.Fail: 6, audit.NoData: 5, audit.Warn: 4, audit.Manual: 3, audit.Pass: 2}[outcome]
		return of*audit.NumSeverities + int(b.Severity(c.Control))
	}
	slices.SortStableFunc(counts, func(x, y audit.ControlCounts) int { return weight(&y) - weight(&x) })
	var rows []controlRow
	for i := range counts {
		rows = append(rows, v.controlRow(&counts[i], b))
	}
	return rows
}

func (v *visit) controlRow(c *audit.ControlCounts, b *audit.Benchmark) controlRow {
	outcome, excused := c.Outcome()
	r := controlRow{
		ID: string(c.Control.ID), Title: c.Control.Title, Severity: b.Severity(c.Control).String(),
		Outcome: statusWord(outcome), Class: statusClass(outcome, excused),
		Link:        v.judgedLink(findingsPath, "control", string(c.Control.ID)),
		Description: c.Control.Description, Rule: c.Control.Rule, Remediation: c.Control.Remediation,
	}
	if excused {
		r.Outcome = "excused"
	}
	for i, id := range c.Control.RequirementIDs(b.ID) {
		if i > 0 {
			r.Items += ", "
		}
		r.Items += id
	}
	count := func(n int, word, class, status string) {
		t := tile{Figure: thousands(n), Text: word}
		if n > 0 {
			t.Class = class
			t.Link = v.judgedLink(reportPath, "control", string(c.Control.ID), "status", status)
		}
		r.Counts = append(r.Counts, t)
	}
	for _, s := range reportedStatuses {
		count(c.Statuses[s], statusWord(s), statusClass(s, false), s.String())
	}
	count(c.Suppressed, "excused", "excused", "excused")
	return r
}

// reportedStatuses are the statuses whose findings pages count.
var reportedStatuses = [...]audit.Status{audit.Fail, audit.NoData, audit.Warn, audit.Manual}

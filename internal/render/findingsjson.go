package render

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jmespath/go-jmespath"

	"rollcall/internal/audit"
	"rollcall/internal/escape"
	"rollcall/internal/words"
)

// jsonLines writes every finding as a JSON object on its own line.
type jsonLines struct {
	stream
	line []byte
}

func newJSONLines(b *bufio.Writer, o *Options) Output { return &jsonLines{stream: stream{b: b, o: o}} }

func (j *jsonLines) Row(row *audit.Row) (err error) {
	for i := range row.Findings {
		if j.line, err = escape.AppendJSON(j.line[:0], findingOf(&row.Findings[i], j.o.Benchmark, &j.src,
			j.asOf())); err != nil {
			return err
		}
		j.b.Write(append(j.line, '\n'))
	}
	return nil
}

func (j *jsonLines) Close(*audit.Summary) error { return j.b.Flush() }

// jsonSummary writes one document: the summary with the worst findings.
type jsonSummary struct{ late }

func newJSON(b *bufio.Writer, o *Options) Output { return jsonSummary{late{b, o}} }

func (j jsonSummary) Close(s *audit.Summary) error {
	var v any = documentOf(s, j.o)
	if j.o.Query != "" {
		var err error
		if v, err = query(j.o.Query, v); err != nil {
			return err
		}
	}
	text, err := escape.IndentJSON(v)
	if err != nil {
		return err
	}
	j.b.Write(text)
	return j.b.Flush()
}

// CheckQuery returns an error for an invalid JMESPath expression.
func CheckQuery(expression string) error {
	_, err := jmespath.Compile(expression)
	var wrong jmespath.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong) && wrong.Offset > 0 && wrong.Offset <= len(expression):
		return fmt.Errorf("%q is not a JMESPath expression: the error is after %q", expression, expression[:wrong.Offset])
	}
	return fmt.Errorf("%q is not a JMESPath expression", expression)
}

// query applies a JMESPath expression to the JSON of v.
func query(expression string, v any) (any, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		return nil, err
	}
	found, err := jmespath.Search(expression, plain)
	if err != nil {
		return nil, fmt.Errorf("query %q: %w", expression, err)
	}
	return found, nil
}

// document is the JSON of a run. Version changes when a member changes its
// meaning or is removed.
type document struct {
	Version    int             `json:"version"`
	Program    string          `json:"program,omitempty"`
	Benchmark  benchmarkJSON   `json:"benchmark"`
	Parameters audit.Params    `json:"parameters"`
	Complete   bool            `json:"complete"`
	Counts     countsJSON      `json:"counts"`
	Outcomes   outcomesJSON    `json:"control_outcomes"`
	Controls   []controlCounts `json:"controls"`
	Accounts   []accountJSON   `json:"accounts"`
	Skipped    []Skipped       `json:"skipped_accounts,omitempty"`
	// Exceptions are the uses of all given exceptions.
	Exceptions []audit.ExceptionUse `json:"exceptions,omitempty"`
	// Findings are the worst findings of each account. Omitted is the number of
	// further FAIL, NO_DATA and WARN.
	Findings []findingJSON `json:"findings"`
	Omitted  int           `json:"findings_omitted"`
}

type benchmarkJSON struct {
	ID      string `json:"id"`
	Title   string `json:"title"`
	Version string `json:"version,omitempty"`
}

// statusCounts contains all statuses, so that a query need not check whether
// one exists.
type statusCounts struct {
	Fail          int `json:"fail"`
	NoData        int `json:"no_data"`
	Warn          int `json:"warn"`
	Manual        int `json:"manual"`
	NotApplicable int `json:"not_applicable"`
	Pass          int `json:"pass"`
}

func statusCountsOf(n [audit.NumStatuses]int) statusCounts {
	return statusCounts{
		Fail: n[audit.Fail], NoData: n[audit.NoData], Warn: n[audit.Warn],
		Manual: n[audit.Manual], NotApplicable: n[audit.NotApplicable], Pass: n[audit.Pass],
	}
}

type countsJSON struct {
	statusCounts
	Suppressed int                     `json:"suppressed"`
	Severities map[string]statusCounts `json:"severities"`
}

func countsOf(c *audit.Counts) countsJSON {
	out := countsJSON{statusCounts: statusCountsOf(c.Total), Suppressed: c.Suppressed,
		Severities: map[string]statusCounts{}}
	for i, n := range c.Severities {
		out.Severities[audit.Severity(i).String()] = statusCountsOf(n)
	}
	return out
}

type controlCounts struct {
	Control string `json:"control"`
	Name    string `json:"control_name"`
	Title   string `json:"title"`
	// Requirements are the benchmark's names of the control.
	Requirements []string `json:"requirements"`
	Severity     string   `json:"severity"`
	// Outcome is the worst status that is not excused, or EXCUSED.
	Outcome string `json:"outcome"`
	statusCounts
	Suppressed int `json:"suppressed"`
}

func controlCountsOf(c *audit.Counts, b *audit.Benchmark) []controlCounts {
	out := make([]controlCounts, len(c.Controls))
	for i, n := range c.Controls {
		out[i] = controlCounts{
			Control: string(n.Control.ID), Name: n.Control.Name, Title: n.Control.Title,
			Severity:     b.Severity(n.Control).String(),
			Requirements: append([]string{}, n.Control.RequirementIDs(b.ID)...), Outcome: outcomeWord(&n),
			statusCounts: statusCountsOf(n.Statuses), Suppressed: n.Suppressed,
		}
	}
	return out
}

// outcomeWord returns the word for the result of a control.
func outcomeWord(c *audit.ControlCounts) string {
	status, excused := c.Outcome()
	if excused {
		return "EXCUSED"
	}
	return status.String()
}

// outcomesJSON counts controls by their result.
type outcomesJSON struct {
	statusCounts
	Excused int `json:"excused"`
}

func outcomesOf(c *audit.Counts) outcomesJSON {
	n, excused := c.Outcomes()
	return outcomesJSON{statusCountsOf(n), excused}
}

type accountJSON struct {
	audit.Source
	AsOf         string          `json:"as_of,omitempty"`
	Complete     bool            `json:"complete"`
	Missing      bool            `json:"missing"`
	Stale        bool            `json:"stale"`
	ProblemCount int             `json:"problem_count"`
	Problems     []audit.Problem `json:"problems,omitempty"`
	Counts       countsJSON      `json:"counts"`
	Outcomes     outcomesJSON    `json:"control_outcomes"`
	Controls     []controlCounts `json:"controls"`
	Statistics   *statisticsJSON `json:"statistics,omitempty"` // nil if the report is missing
}

type statisticsJSON struct {
	Rows               int `json:"rows"`
	Users              int `json:"users"`
	ConsoleUsers       int `json:"console_users"`
	ConsoleUsersMFA    int `json:"console_users_mfa"`
	HumanUsers         int `json:"human_users"`
	MachineUsers       int `json:"machine_users"`
	BreakGlassUsers    int `json:"break_glass_users"`
	ActiveKeys         int `json:"active_keys"`
	InactiveKeys       int `json:"inactive_keys"`
	ActiveCertificates int `json:"active_certificates"`
	UnusedCredentials  int `json:"unused_credentials"`
	// The report says nothing about this number of further users.
	UntoldConsoleUsers int    `json:"untold_console_users"`
	UntoldKeys         int    `json:"untold_keys"`
	UntoldUnused       int    `json:"untold_unused"`
	OldestKey          string `json:"oldest_key,omitempty"`
	// KeyAges has a list for each range of ages. key_age_limits_days and
	// key_idle_limits_days describe the ranges.
	KeyAgeLimits  []int     `json:"key_age_limits_days"`
	KeyIdleLimits []int     `json:"key_idle_limits_days"`
	KeyAges       [6][4]int `json:"key_ages"`
	Root          rootJSON  `json:"root"`
}

type rootJSON struct {
	Seen     bool   `json:"seen"`
	Password string `json:"password,omitempty"` // true, false, or the reason why it is unknown
	MFA      string `json:"mfa,omitempty"`
	Keys     int    `json:"active_keys"`
	LastUsed string `json:"last_used,omitempty"`
	// What the report does not say: keys that may be active, and a later use.
	UntoldKeys int  `json:"untold_keys"`
	UntoldUse  bool `json:"untold_use"`
}

func documentOf(s *audit.Summary, o *Options) document {
	d := document{
		Version: 1, Program: o.generator(),
		Benchmark: benchmarkJSON{string(s.Benchmark.ID), s.Benchmark.Title, s.Benchmark.Version}, Parameters: s.Params,
		Complete: Complete(s), Counts: countsOf(&s.Counts), Outcomes: outcomesOf(&s.Counts),
		Controls: controlCountsOf(&s.Counts, s.Benchmark),
		Accounts: []accountJSON{}, Skipped: o.Skipped, Exceptions: s.Exceptions, Findings: []findingJSON{},
	}
	for _, a := range s.Accounts {
		d.Accounts = append(d.Accounts, accountOf(a, s.Benchmark))
		d.Omitted += omitted(a)
		for i := range a.Worst {
			d.Findings = append(d.Findings, findingOf(&a.Worst[i], s.Benchmark, &a.Source, a.AsOf))
		}
	}
	return d
}

// Complete reports whether there were accounts and everything could be judged.
func Complete(s *audit.Summary) bool {
	for _, a := range s.Accounts {
		if a.Incomplete() {
			return false
		}
	}
	return len(s.Accounts) > 0
}

// omitted returns the number of findings that are not among the worst, which
// are shown.
func omitted(a *audit.AccountSummary) int {
	n := a.Counts.Total
	return n[audit.Fail] + n[audit.NoData] + n[audit.Warn] - len(a.Worst)
}

func accountOf(a *audit.AccountSummary, b *audit.Benchmark) accountJSON {
	out := accountJSON{
		Source: a.Source, AsOf: words.Time(a.AsOf), Complete: !a.Incomplete(), Missing: a.Missing, Stale: a.Stale,
		ProblemCount: a.ProblemCount, Problems: a.Problems, Counts: countsOf(&a.Counts),
		Outcomes: outcomesOf(&a.Counts), Controls: controlCountsOf(&a.Counts, b),
	}
	if a.Missing {
		return out
	}
	t := &a.Stats
	out.Statistics = &statisticsJSON{
		Rows: t.Rows, Users: t.Users, ConsoleUsers: t.ConsoleUsers, ConsoleUsersMFA: t.ConsoleUsersMFA,
		HumanUsers: t.HumanUsers, MachineUsers: t.MachineUsers, BreakGlassUsers: t.BreakGlassUsers,
		ActiveKeys: t.ActiveKeys, InactiveKeys: t.InactiveKeys, ActiveCertificates: t.ActiveCertificates,
		UnusedCredentials:  t.UnusedCredentials,
		UntoldConsoleUsers: t.Untold.ConsoleUsers, UntoldKeys: t.Untold.Keys, UntoldUnused: t.Untold.Unused,
		OldestKey:    words.ReportTime(t.OldestKey),
		KeyAgeLimits: audit.KeyAgeLimits[:], KeyIdleLimits: audit.KeyIdleLimits[:], KeyAges: t.KeyAges,
		Root: rootJSON{Seen: t.Root.Seen, Keys: t.Root.Keys, LastUsed: words.ReportTime(t.Root.LastUsed),
			UntoldKeys: t.Root.UntoldKeys, UntoldUse: t.Root.UntoldUse},
	}
	if t.Root.Seen {
		out.Statistics.Root.Password, out.Statistics.Root.MFA = t.Root.Password.String(), t.Root.MFA.String()
	}
	return out
}

package html

import (
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/report"
)

// The types below are the JSON of the page, except for its rows. Times have the
// form of pageTime. A time is 0 if it is unknown.

type pageData struct {
	Title         string           `json:"title"`
	Program       string           `json:"program,omitempty"`
	Made          int64            `json:"made,omitempty"`
	Organizations []string         `json:"organizations"`
	Skipped       []Skipped        `json:"skipped"`
	Benchmark     benchmarkData    `json:"benchmark"`
	Params        audit.Params     `json:"params"`
	Statuses      []audit.Status   `json:"statuses"`
	Severities    []audit.Severity `json:"severities"`
	Classes       []audit.Class    `json:"classes"`
	Counts        countsData       `json:"counts"`
	Trend         []trendPoint     `json:"trend"`
	People        []person         `json:"people"` // some of those without MFA
	Controls      []controlData    `json:"controls"`
	Outcomes      string           `json:"outcomes"` // of the controls, in words
	// KeyLimits are the largest ages in days of the bars in the chart of key
	// ages.
	KeyLimits  [numKeyBins - 1]int  `json:"keyLimits"`
	Exceptions []audit.ExceptionUse `json:"exceptions"`
	Accounts   []accountData        `json:"accounts"`
	// LeftOut counts the credentials that are not in the rows.
	LeftOut leftOutData `json:"leftOut"`
}

// leftOutData counts the credentials that do not fit into the page: those of users
// with findings, and those of users without.
type leftOutData struct {
	Found int `json:"found"`
	Fine  int `json:"fine"`
}

type benchmarkData struct {
	ID      audit.Standard `json:"id"`
	Title   string         `json:"title"`
	Version string         `json:"version"`
	About   string         `json:"about"`
}

// countsData has an array by status, and one for each severity.
type countsData struct {
	Total      [audit.NumStatuses]int                      `json:"total"`
	Severities [audit.NumSeverities][audit.NumStatuses]int `json:"severities"`
	Excused    int                                         `json:"excused"`
}

type controlData struct {
	ID           audit.ControlID        `json:"id"`
	Name         string                 `json:"name"`
	Title        string                 `json:"title"`
	Description  string                 `json:"description"`
	Remediation  string                 `json:"remediation"`
	Fix          fix                    `json:"fix,omitempty"`
	Rule         string                 `json:"rule"`
	Severity     audit.Severity         `json:"severity"`
	Requirements []string               `json:"requirements"`
	Items        []string               `json:"items"` // what the benchmark calls it
	Statuses     [audit.NumStatuses]int `json:"statuses"`
	Excused      int                    `json:"excused"`
}

type accountData struct {
	audit.Source
	AsOf         int64           `json:"asOf"`
	Generated    int64           `json:"generated"`
	Fetched      int64           `json:"fetched"`
	Missing      bool            `json:"missing"`
	Incomplete   bool            `json:"incomplete"`
	Stale        bool            `json:"stale"`
	Problems     []audit.Problem `json:"problems"`
	ProblemCount int             `json:"problemCount"`
	Counts       countsData      `json:"counts"`
	Stats        statsData       `json:"stats"`
	// Controls holds the findings of each control by status, followed by the
	// excused ones.
	Controls [][audit.NumStatuses + 1]int `json:"controls"`
	// KeyBins counts the active keys, as countKeys does.
	KeyBins [numKeyBins][2 * numKeyVerdicts]int `json:"keyBins"`
	History *historyData                        `json:"history,omitempty"`
}

type statsData struct {
	Users      int `json:"users"`
	Humans     int `json:"humans"`
	Machines   int `json:"machines"`
	Console    int `json:"console"`
	ConsoleMFA int `json:"consoleMFA"`
	Keys       int `json:"keys"`
	Unused     int `json:"unused"`
	// These count the cases that the report does not show.
	UntoldConsole int      `json:"untoldConsole"`
	UntoldKeys    int      `json:"untoldKeys"`
	UntoldUnused  int      `json:"untoldUnused"`
	OldestKey     int64    `json:"oldestKey"`
	Root          rootData `json:"root"`
}

type rootData struct {
	Seen     bool  `json:"seen"`
	Password int64 `json:"password"` // as truth
	MFA      int64 `json:"mfa"`      // as truth
	Keys     int   `json:"keys"`
	LastUsed int64 `json:"lastUsed"`
	// What the report does not say.
	UntoldKeys int  `json:"untoldKeys"`
	UntoldUse  bool `json:"untoldUse"`
}

type historyData struct {
	Snapshots []snapshotData `json:"snapshots"`
	Changes   []changeData   `json:"changes"` // the latest first
	LeftOut   int            `json:"leftOut"` // how many more there were
	// Steps are the changes of each report except the first, newest first.
	Steps []stepData `json:"steps"`
}

// stepData counts the changes between a report and the previous one.
type stepData struct {
	At    int64 `json:"at"`
	Since int64 `json:"since"`
	// Sorts counts all changes that are not usual, including those left out.
	Sorts map[sort]int `json:"sorts"`
	// Severities counts new failures by severity.
	Severities [audit.NumSeverities]int `json:"severities"`
	// Usual counts the ordinary uses of credentials by their names.
	Usual map[string]int `json:"usual,omitempty"`
}

type snapshotData struct {
	Generated int64                    `json:"generated"`
	Findings  [audit.NumStatuses]int   `json:"findings"`
	Failing   [audit.NumSeverities]int `json:"failing"`
	Users     int                      `json:"users"`
	Keys      int                      `json:"keys"`
}

type changeData struct {
	At         int64           `json:"at"`
	Since      int64           `json:"since"`
	Sort       sort            `json:"sort"`
	Severity   audit.Severity  `json:"severity"`
	Title      string          `json:"title"`
	Control    audit.ControlID `json:"control,omitempty"`
	User       string          `json:"user"`
	Credential string          `json:"credential,omitempty"`
	Text       string          `json:"text"`
}

// data returns the content of the page except for the rows. The reports are in the
// order of the summary's accounts.
func (b *Builder) data(s *audit.Summary, reports []*Report) pageData {
	d := pageData{
		Title:         b.options.Title,
		Program:       b.options.Program,
		Made:          seconds(b.options.Made),
		Organizations: append([]string{}, b.options.Organizations...), Skipped: append([]Skipped{}, b.options.Skipped...),
		Benchmark:  benchmarkData{s.Benchmark.ID, s.Benchmark.Title, s.Benchmark.Version, s.Benchmark.About},
		Params:     s.Params,
		Counts:     counts(&s.Counts),
		Controls:   controls(s),
		Outcomes:   s.Counts.OutcomesInWords(),
		Accounts:   []accountData{},
		Exceptions: append([]audit.ExceptionUse{}, s.Exceptions...),
		KeyLimits:  keyBinLimits(&s.Params),
		Trend:      b.trend(s), People: people(reports),
	}
	for i := range audit.NumStatuses {
		d.Statuses = append(d.Statuses, audit.Status(i))
	}
	for i := range audit.NumSeverities {
		d.Severities = append(d.Severities, audit.Severity(i))
	}
	for c := audit.ClassUnknown; c <= audit.ClassBreakGlass; c++ {
		d.Classes = append(d.Classes, c)
	}
	for i, a := range s.Accounts {
		of := account(a, b.history(a))
		if r := reports[i]; r != nil {
			of.KeyBins = countKeys(r.keys, seconds(a.AsOf), &s.Params)
		}
		d.Accounts = append(d.Accounts, of)
	}
	return d
}

func controls(s *audit.Summary) []controlData {
	list := make([]controlData, 0, len(s.Counts.Controls))
	for _, c := range s.Counts.Controls {
		list = append(list, controlData{
			ID: c.Control.ID, Name: c.Control.Name, Title: c.Control.Title, Description: c.Control.Description,
			Remediation: c.Control.Remediation, Fix: fixes[c.Control.ID],
			Rule: c.Control.Rule, Severity: s.Benchmark.Severity(c.Control),
			Requirements: requirements(c.Control.Requirements), Items: append([]string{},
				c.Control.RequirementIDs(s.Benchmark.ID)...), Statuses: c.Statuses, Excused: c.Suppressed,
		})
	}
	return list
}

// requirements returns a text for each standard. Ids that are suggested, or that a
// person must judge, have texts of their own.
func requirements(list []audit.Requirement) []string {
	texts := []string{}
	for i, r := range list {
		if i > 0 {
			if before := list[i-1]; before.Standard == r.Standard && before.Suggested == r.Suggested &&
				before.Manual == r.Manual {
				texts[len(texts)-1] += ", " + r.ID
				continue
			}
		}
		text := string(r.Standard)
		switch {
		case r.Suggested:
			text += " (suggested)"
		case r.Manual:
			text += " (manual)"
		}
		texts = append(texts, text+": "+r.ID)
	}
	return texts
}

func counts(c *audit.Counts) countsData {
	return countsData{Total: c.Total, Severities: c.Severities, Excused: c.Suppressed}
}

func account(a *audit.AccountSummary, h *historyData) accountData {
	s := &a.Stats
	perControl := make([][audit.NumStatuses + 1]int, len(a.Counts.Controls))
	for i, c := range a.Counts.Controls {
		copy(perControl[i][:], c.Statuses[:])
		perControl[i][audit.NumStatuses] = c.Suppressed
	}
	return accountData{
		Source: a.Source, AsOf: seconds(a.AsOf),
		Generated: seconds(a.Source.Generated), Fetched: seconds(a.Source.Fetched),
		Missing: a.Missing, Incomplete: a.Incomplete(), Stale: a.Stale,
		Problems: append([]audit.Problem{}, a.Problems...), ProblemCount: a.ProblemCount,
		Counts: counts(&a.Counts),
		Stats: statsData{
			Users: s.Users, Humans: s.HumanUsers, Machines: s.MachineUsers,
			Console: s.ConsoleUsers, ConsoleMFA: s.ConsoleUsersMFA,
			UntoldConsole: s.Untold.ConsoleUsers, UntoldKeys: s.Untold.Keys, UntoldUnused: s.Untold.Unused,
			Keys: s.ActiveKeys, Unused: s.UnusedCredentials, OldestKey: pageTime(s.OldestKey),
			Root: rootData{s.Root.Seen, truth(s.Root.Password), truth(s.Root.MFA), s.Root.Keys,
				pageTime(s.Root.LastUsed), s.Root.UntoldKeys, s.Root.UntoldUse},
		},
		History: h, Controls: perControl,
	}
}

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return pageTime(report.At(t))
}

func words(ids []string) string { return strings.Join(ids, " ") }

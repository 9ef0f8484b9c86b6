package html

import (
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/report"
)

// What the page knows beside the rows, as JSON. Times are as in pageTime, and 0
// where they are not known.

type pageData struct {
	Title         string               `json:"title"`
	Program       string               `json:"program,omitempty"`
	Made          int64                `json:"made,omitempty"`
	Benchmark     benchmarkData        `json:"benchmark"`
	Params        audit.Params         `json:"params"`
	Statuses      []audit.Status       `json:"statuses"`
	Severities    []audit.Severity     `json:"severities"`
	Classes       []audit.Class        `json:"classes"`
	Counts        countsData           `json:"counts"`
	Controls      []controlData        `json:"controls"`
	Outcomes      string               `json:"outcomes"` // of the controls, in words
	KeyAgeLimits  [5]int               `json:"keyAgeLimits"`
	KeyIdleLimits [2]int               `json:"keyIdleLimits"`
	Exceptions    []audit.ExceptionUse `json:"exceptions"`
	Accounts      []accountData        `json:"accounts"`
	// LeftOut says how many credentials are not in the rows.
	LeftOut int `json:"leftOut"`
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
	History      *historyData    `json:"history,omitempty"`
}

type statsData struct {
	Users      int `json:"users"`
	Humans     int `json:"humans"`
	Machines   int `json:"machines"`
	Console    int `json:"console"`
	ConsoleMFA int `json:"consoleMFA"`
	Keys       int `json:"keys"`
	Unused     int `json:"unused"`
	// Of so many more the report does not tell.
	UntoldConsole int       `json:"untoldConsole"`
	UntoldKeys    int       `json:"untoldKeys"`
	UntoldUnused  int       `json:"untoldUnused"`
	KeyAges       [6][4]int `json:"keyAges"`
	OldestKey     int64     `json:"oldestKey"`
	Root          rootData  `json:"root"`
}

type rootData struct {
	Seen     bool  `json:"seen"`
	Password int64 `json:"password"` // as truth
	MFA      int64 `json:"mfa"`      // as truth
	Keys     int   `json:"keys"`
	LastUsed int64 `json:"lastUsed"`
}

type historyData struct {
	Snapshots []snapshotData `json:"snapshots"`
	Changes   []changeData   `json:"changes"` // the latest first
	LeftOut   int            `json:"leftOut"` // how many more there were
	// Last holds the changes in the newest report, nil if it is the only one.
	Last *stepData `json:"last,omitempty"`
}

type stepData struct {
	Failing int `json:"failing"`
	Fixed   int `json:"fixed"`
}

type snapshotData struct {
	Generated int64                  `json:"generated"`
	Findings  [audit.NumStatuses]int `json:"findings"`
	Users     int                    `json:"users"`
	Keys      int                    `json:"keys"`
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

func (b *Builder) data(s *audit.Summary) pageData {
	d := pageData{
		Title:        b.options.Title,
		Program:      b.options.Program,
		Made:         seconds(b.options.Made),
		Benchmark:    benchmarkData{s.Benchmark.ID, s.Benchmark.Title, s.Benchmark.Version, s.Benchmark.About},
		Params:       s.Params,
		Counts:       counts(&s.Counts),
		Controls:     controls(s),
		Outcomes:     s.Counts.OutcomesInWords(),
		Accounts:     []accountData{},
		Exceptions:   append([]audit.ExceptionUse{}, s.Exceptions...),
		KeyAgeLimits: audit.KeyAgeLimits, KeyIdleLimits: audit.KeyIdleLimits,
		LeftOut: b.leftOut,
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
	for _, a := range s.Accounts {
		d.Accounts = append(d.Accounts, account(a, b.history(a)))
	}
	return d
}

func controls(s *audit.Summary) []controlData {
	list := make([]controlData, 0, len(s.Counts.Controls))
	for _, c := range s.Counts.Controls {
		list = append(list, controlData{
			ID: c.Control.ID, Name: c.Control.Name, Title: c.Control.Title, Description: c.Control.Description,
			Remediation: c.Control.Remediation, Rule: c.Control.Rule, Severity: s.Benchmark.Severity(c.Control),
			Requirements: requirements(c.Control.Requirements), Items: append([]string{},
				c.Control.RequirementIDs(s.Benchmark.ID)...), Statuses: c.Statuses, Excused: c.Suppressed,
		})
	}
	return list
}

// requirements has a text for each standard, and for those ids of it that are
// suggested, or for a person to judge.
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
			Keys: s.ActiveKeys, Unused: s.UnusedCredentials, KeyAges: s.KeyAges, OldestKey: pageTime(s.OldestKey),
			Root: rootData{s.Root.Seen, truth(s.Root.Password), truth(s.Root.MFA), s.Root.Keys,
				pageTime(s.Root.LastUsed)},
		},
		History: h,
	}
}

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return pageTime(report.At(t))
}

func joined(ids []string) string { return strings.Join(ids, " ") }

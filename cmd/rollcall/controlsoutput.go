package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"rollcall/internal/audit"
	"rollcall/internal/escape"
)

// controlJSON is the JSON form of a control.
type controlJSON struct {
	ID           audit.ControlID   `json:"id"`
	Name         string            `json:"name"`
	Title        string            `json:"title"`
	Description  string            `json:"description"`
	Remediation  string            `json:"remediation"`
	Rule         string            `json:"rule"`
	CEL          string            `json:"cel,omitempty"`
	When         string            `json:"cel_when,omitempty"`
	Scope        audit.Scope       `json:"cel_scope,omitempty"`
	Subject      audit.Subject     `json:"subject"`
	Severity     string            `json:"severity"`
	Columns      []string          `json:"columns"`
	Absent       []absentJSON      `json:"absent_values"`
	Thresholds   map[string]any    `json:"thresholds"` // of each benchmark, or of the one in --benchmark
	Others       map[string]string `json:"other_severities"`
	Requirements []requirementJSON `json:"requirements"`
	ConfigRule   string            `json:"config_rule,omitempty"`
	Sources      []string          `json:"sources"`
	InBenchmarks []audit.Standard  `json:"benchmarks"`
}

type absentJSON struct {
	Value   string `json:"value"`
	Column  string `json:"column"`
	Verdict string `json:"verdict"`
}

type requirementJSON struct {
	Standard  string `json:"standard"` // of a control of the user, any
	ID        string `json:"id"`
	Suggested bool   `json:"suggested"`
	Manual    bool   `json:"manual"`
}

func (e *controlsRun) json(list []*audit.Control) error {
	all := make([]controlJSON, len(list))
	for i, c := range list {
		out := controlJSON{
			ID: c.ID, Name: c.Name, Title: c.Title, Description: c.Description,
			Remediation: c.Remediation, Rule: c.Rule, CEL: c.CEL, When: c.When, Scope: c.Scope,
			Subject: c.Subject, Severity: e.severity(c).String(), Columns: c.Columns, Absent: []absentJSON{},
			Thresholds: map[string]any{}, Others: map[string]string{}, Requirements: []requirementJSON{},
			ConfigRule: c.ConfigRule, Sources: c.Sources,
			InBenchmarks: []audit.Standard{},
		}
		for _, a := range c.Absent {
			out.Absent = append(out.Absent, absentJSON(a))
		}
		for _, o := range c.OtherSeverities {
			out.Others[o.Auditor] = o.Severity
		}
		for _, r := range c.Requirements {
			out.Requirements = append(out.Requirements, requirementJSON{string(r.Standard), r.ID, r.Suggested, r.Manual})
		}
		for _, b := range audit.Benchmarks() {
			if !slices.Contains(b.Controls, c.ID) {
				continue
			}
			out.InBenchmarks = append(out.InBenchmarks, b.ID)
			values := map[string]any{}
			for _, name := range c.Params {
				values[name] = params(b)[name]
			}
			switch {
			case len(values) == 0:
			case e.of == nil:
				out.Thresholds[string(b.ID)] = values
			case e.of == b:
				out.Thresholds = values
			}
		}
		all[i] = out
	}
	return writeJSON(e.p.stdout, all)
}

// params returns the thresholds of a benchmark by their names in a configuration.
func params(b *audit.Benchmark) map[string]any {
	text, err := json.Marshal(b.Params)
	if err != nil {
		panic(err) // numbers and booleans
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		panic(err)
	}
	return all
}

func paramValue(b *audit.Benchmark, name string) string { return fmt.Sprint(params(b)[name]) }

func (e *controlsRun) markdown(list []*audit.Control) error {
	var b strings.Builder
	b.WriteString("# Controls\n")
	for _, c := range list {
		fmt.Fprintf(&b, "\n## %s %s\n\n**%s.** %s\n\n%s\n\nSeverity: %s.", c.ID, c.Name,
			escape.Markdown(c.Title), escape.Markdown(c.Description), escape.Markdown(c.Rule),
			escape.Markdown(e.severities(c)))
		if len(c.Columns) > 0 {
			fmt.Fprintf(&b, " Columns: `%s`.", strings.Join(c.Columns, "`, `"))
		}
		b.WriteString("\n")
		if len(c.Absent) > 0 {
			b.WriteString("\n| absent value | column | verdict |\n|---|---|---|\n")
			for _, a := range c.Absent {
				fmt.Fprintf(&b, "| %s | %s | %s |\n", escape.Markdown(a.Value), escape.Markdown(a.Column),
					escape.Markdown(a.Verdict))
			}
		}
		for _, lines := range [][]string{e.thresholds(c), elsewhere(c)} {
			if len(lines) > 0 {
				b.WriteString("\n")
			}
			for _, line := range lines {
				fmt.Fprintf(&b, "- %s\n", escape.Markdown(line))
			}
		}
		fmt.Fprintf(&b, "\nWhat to do: %s\n", escape.Markdown(c.Remediation))
		if len(c.Sources) > 0 {
			fmt.Fprintf(&b, "\nSources: %s.\n", escape.Markdown(strings.Join(c.Sources, "; ")))
		}
	}
	_, err := e.p.stdout.Write([]byte(b.String()))
	return err
}

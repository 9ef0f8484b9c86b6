package plan

import (
	"bytes"
	"encoding/json"
	"io"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/escape"
	"rollcall/internal/words"
)

type planJSON struct {
	Version        int            `json:"version"`
	Program        string         `json:"program,omitempty"`
	Complete       bool           `json:"complete"`
	Problems       []string       `json:"problems,omitempty"`
	Start          string         `json:"start"`
	FinalDays      int            `json:"final_days"`
	DeactivateDays int            `json:"deactivate_days"`
	DeleteDays     int            `json:"delete_days"`
	KeepUsedDays   int            `json:"keep_used_days"`
	Windows        []string       `json:"windows,omitempty"`
	Zone           string         `json:"time_zone"`
	Planned        int            `json:"planned"`
	More           int            `json:"not_in_this_plan"`
	Counts         map[Reason]int `json:"left"`
	Accounts       []accountJSON  `json:"accounts"`
}

type accountJSON struct {
	audit.Source
	// Service is the service on which the plan acts, nil if it is unknown.
	Service *serviceJSON `json:"service,omitempty"`
	AsOf    string       `json:"as_of,omitempty"`
	Cutoff  string       `json:"unused_since,omitempty"`
	Items   []itemJSON   `json:"items"`
	Left    []leftJSON   `json:"left"`
}

type serviceJSON struct {
	Endpoint string `json:"endpoint"` // "aws" for AWS
	Profile  string `json:"profile,omitempty"`
}

type itemJSON struct {
	ID         string        `json:"id"`
	User       string        `json:"user"`
	ARN        string        `json:"arn"`
	Credential string        `json:"credential"`
	KeyID      string        `json:"key_id,omitempty"`
	Inactive   bool          `json:"inactive"`
	LastUsed   string        `json:"last_used,omitempty"`
	Findings   []findingJSON `json:"findings"`
	Steps      []stepJSON    `json:"steps"`
}

type findingJSON struct {
	Fingerprint string `json:"fingerprint"`
	Control     string `json:"control"`
	ControlName string `json:"control_name"`
	Status      string `json:"status"`
	Severity    string `json:"severity"`
	Reason      string `json:"reason"`
	Exception   string `json:"exception,omitempty"`
}

type stepJSON struct {
	Stage     Stage  `json:"stage"`
	NotBefore string `json:"not_before"`
	// Message is the text for the owner.
	Message string `json:"message,omitempty"`
	// Look contains lines for bash that change nothing, with the expected
	// results as comments. Command is the change that follows them.
	Look    []string `json:"look,omitempty"`
	Command string   `json:"command,omitempty"`
}

type leftJSON struct {
	Reason     Reason        `json:"reason"`
	User       string        `json:"user,omitempty"`
	Credential string        `json:"credential,omitempty"`
	Findings   []findingJSON `json:"findings"`
	Why        string        `json:"why"`
}

// JSON writes the plan as one document.
func (p *Plan) JSON(w io.Writer, program string) error {
	o := &p.Options
	out := planJSON{
		Version: 1, Program: program, Complete: len(p.Problems) == 0, Problems: p.Problems,
		Start: o.Start.Format(time.DateOnly), FinalDays: o.FinalDays, DeactivateDays: o.DeactivateDays,
		DeleteDays:   o.DeleteDays,
		KeepUsedDays: o.KeepUsedDays, Zone: o.Start.Location().String(), Planned: p.Total - p.More, More: p.More,
		Counts: map[Reason]int{}, Accounts: []accountJSON{},
	}
	for _, w := range o.Windows {
		out.Windows = append(out.Windows, w.String())
	}
	for _, reason := range Reasons {
		out.Counts[reason] = p.Counts[reason]
	}
	for _, a := range p.Accounts {
		out.Accounts = append(out.Accounts, accountOf(a))
	}
	line, err := escape.AppendJSON(nil, out)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, line, "", "    "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err = b.WriteTo(w)
	return err
}

func accountOf(a *Account) accountJSON {
	out := accountJSON{Source: a.Source, Items: []itemJSON{}, Left: []leftJSON{}}
	if a.Service.Known {
		out.Service = &serviceJSON{a.Service.word(), a.Service.Profile}
	}
	if !a.AsOf.IsZero() {
		out.AsOf, out.Cutoff = words.Time(a.AsOf), words.Time(a.Cutoff)
	}
	for n := range a.Items {
		i := &a.Items[n]
		item := itemJSON{
			ID: i.ID, User: i.User, ARN: i.ARN, Credential: i.Credential.ID(), KeyID: i.KeyID, Inactive: i.Inactive,
			LastUsed: words.ReportTime(i.LastUsed), Findings: findingsOf(i.Findings),
		}
		for _, s := range i.Steps {
			step := stepJSON{Stage: s.Stage, NotBefore: s.NotBefore.Format(time.RFC3339)}
			if step.Look, step.Command = i.Commands(a, s.Stage); step.Command == "" {
				step.Message = i.message(a, s.Stage)
			}
			item.Steps = append(item.Steps, step)
		}
		out.Items = append(out.Items, item)
	}
	for _, l := range a.Left {
		out.Left = append(out.Left, leftJSON{l.Reason, l.User, l.Credential.ID(), findingsOf(l.Findings), l.Why})
	}
	return out
}

func findingsOf(all []audit.Finding) []findingJSON {
	out := make([]findingJSON, len(all))
	for i := range all {
		f := &all[i]
		out[i] = findingJSON{f.Fingerprint(), string(f.Control.ID), f.Control.Name,
			f.Status.String(), f.Severity.String(),
			f.Reason.String(), f.Exception}
	}
	return out
}

package review

import (
	"time"

	"rollcall/internal/audit"
)

// Answered is the progress of a reviewer.
type Answered struct {
	Reviewer
	// CollectedAt is zero if the reviewer has not answered.
	CollectedAt time.Time    `json:"collected_at,omitzero"`
	Decisions   map[Verb]int `json:"decisions"`
}

// Status is the progress of a review.
type Status struct {
	Review    string     `json:"review"`
	Freeze    string     `json:"freeze"`
	Due       audit.Date `json:"due"`
	Overdue   bool       `json:"overdue"` // answers are missing after the last day
	Complete  bool       `json:"complete"`
	Items     int        `json:"items"`
	Decided   int        `json:"decided"`
	Reviewers []Answered `json:"reviewers"`
	Missing   []Account  `json:"missing_accounts"`
}

// Status returns who has answered.
func (r *Review) Status(now time.Time) (*Status, error) {
	decisions, err := r.Decisions()
	if err != nil {
		return nil, err
	}
	m := r.Manifest
	s := &Status{
		Review: m.Name, Freeze: r.ShortFreeze(), Due: m.Due, Items: m.Items, Decided: len(decisions),
		Complete: len(decisions) == m.Items, Reviewers: make([]Answered, len(m.Reviewers)), Missing: []Account{},
	}
	at := map[string]*Answered{}
	for n, of := range m.Reviewers {
		s.Reviewers[n] = Answered{Reviewer: of, Decisions: map[Verb]int{}}
		at[of.Name] = &s.Reviewers[n]
	}
	for n := range r.Items {
		i := &r.Items[n]
		if d, ok := decisions[i.Line]; ok {
			at[i.Reviewer].CollectedAt = d.At
			at[i.Reviewer].Decisions[d.Verb]++
		}
	}
	for _, a := range m.Accounts {
		if a.State == Missing || a.State == Incomplete {
			s.Missing = append(s.Missing, a)
		}
	}
	s.Overdue = !s.Complete && audit.DateOf(now).String() > m.Due.String()
	return s, nil
}

package review

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// MaxDecisions is the largest size of a file of decisions.
const MaxDecisions = 256 << 20

// decisionsJSON is the file that a sheet's page writes.
// docs/schemas/review-decisions.schema.json describes it.
type decisionsJSON struct {
	Kind      string         `json:"kind"`
	Version   int            `json:"version"`
	Review    string         `json:"review"`
	Freeze    string         `json:"freeze"`
	Reviewer  string         `json:"reviewer"`
	DecidedBy string         `json:"decided_by"`
	WrittenAt time.Time      `json:"written_at"`
	Decisions []decisionJSON `json:"decisions"`
}

type decisionJSON struct {
	Line     string `json:"line"`
	Facts    string `json:"facts"`
	Decision Verb   `json:"decision"`
	Reason   string `json:"reason,omitempty"`
	Expires  string `json:"expires,omitempty"`
	Ticket   string `json:"ticket,omitempty"`
	Comment  string `json:"comment,omitempty"`
}

// parseDecisions reads a file of decisions, CSV or JSON. It does not judge
// them.
func (r *Review) parseDecisions(text []byte) ([]answered, error) {
	if len(text) > MaxDecisions {
		return nil, fmt.Errorf("it is longer than %d MiB", MaxDecisions>>20)
	}
	if isJSON(text) {
		return parseJSON(bytes.TrimPrefix(text, []byte("\ufeff")))
	}
	if bytes.HasPrefix(bytes.ToLower(text), []byte("<!doctype html")) {
		return nil, fmt.Errorf("it is the page of a sheet: open it in a browser, decide, and save the decisions from there")
	}
	return r.parseCSV(text)
}

// isJSON reports whether a file is a JSON object, and not a CSV sheet.
func isJSON(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(text, []byte("\ufeff")), " \t\r\n"), []byte("{"))
}

func parseJSON(text []byte) ([]answered, error) {
	var file decisionsJSON
	if err := decode(text, &file, decisionsKind); err != nil {
		return nil, err
	}
	all := make([]answered, len(file.Decisions))
	for n, d := range file.Decisions {
		if d.Facts == "" {
			return nil, fmt.Errorf("decision %d: facts is missing, which says what was shown", n+1)
		}
		all[n] = answered{
			Decision: Decision{Line: d.Line, Verb: d.Decision, Reason: strings.TrimSpace(d.Reason),
				Expires: d.Expires, Ticket: strings.TrimSpace(d.Ticket), Comment: strings.TrimSpace(d.Comment),
				By: file.DecidedBy},
			where: fmt.Sprintf("decision %d", n+1), facts: d.Facts, reviewer: file.Reviewer, freeze: file.Freeze,
		}
	}
	return all, nil
}

func (r *Review) parseCSV(text []byte) ([]answered, error) {
	t, err := readTable(text)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{columnLine, columnFreeze, columnReviewer, columnDecision, columnBy} {
		if !t.has(name) {
			return nil, fmt.Errorf("it is not a sheet of a review: it has no column %q", name)
		}
	}
	all := make([]answered, len(t.rows))
	for n := range t.rows {
		row := &t.rows[n]
		a := answered{
			Decision: Decision{
				Line: row.cell(columnLine), Verb: Verb(strings.ToLower(row.cell(columnDecision))),
				Reason: row.answer(columnReason), Expires: row.answer(columnExpires), Ticket: row.answer(columnTicket),
				Comment: row.answer(columnComment), By: row.answer(columnBy),
			},
			where: fmt.Sprintf("line %d", row.line), reviewer: row.answer(columnReviewer), freeze: row.cell(columnFreeze),
		}
		if i := r.item(a.Line); i != nil {
			a.altered = row.altered(i)
		}
		all[n] = a
	}
	return all, nil
}

// answer returns a cell without the apostrophe that our sheets add before a
// text that looks like a formula.
func (r *tableRow) answer(name string) string {
	cell := r.cell(name)
	if after, ok := strings.CutPrefix(cell, "'"); ok && strings.TrimLeft(after, " =+-@＝＋－＠") != after {
		return after
	}
	return cell
}

// altered returns the names of a line's facts that differ from those of the item.
func (r *tableRow) altered(i *Item) (names []string) {
	for n := range facts {
		c := &facts[n]
		if r.table.has(c.name) && !c.same(i, strings.ReplaceAll(r.cell(c.name), "\r\n", "\n")) {
			names = append(names, c.name)
		}
	}
	return names
}

// digestOf returns the digest of an item's facts. With it a page says which
// facts it has shown.
func digestOf(i *Item) string {
	text, err := json.Marshal(i)
	if err != nil { // it holds only strings and numbers
		return ""
	}
	return sumOf(text)[:freezeShown]
}

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"rollcall/internal/history"
	"rollcall/internal/lazyregexp"
	"rollcall/internal/words"
)

// mostShown is the largest number of accounts that are all shown. If there are
// more, only those with a problem are shown.
const mostShown = 30

// print writes the outcomes to standard output.
func (r *reportRun) print(outcomes []history.Outcome, took time.Duration) error {
	outcomes = append([]history.Outcome{}, outcomes...) // an empty list in JSON
	slices.SortStableFunc(outcomes, func(a, b history.Outcome) int { return cmp.Compare(a.Account, b.Account) })
	switch r.output {
	case "json":
		return writeJSON(r.p.stdout, outcomes)
	case "jsonl":
		e := json.NewEncoder(r.p.stdout)
		e.SetEscapeHTML(false)
		for _, o := range outcomes {
			if err := e.Encode(o); err != nil {
				return err
			}
		}
		return nil
	}
	if r.fleet.quiet {
		return nil
	}
	slices.SortStableFunc(outcomes, func(a, b history.Outcome) int {
		return cmp.Compare(rank(a.Status), rank(b.Status))
	})
	if err := writeOutcomes(r.p.stdout, outcomes, time.Now()); err != nil {
		return err
	}
	_, err := fmt.Fprintf(r.p.stdout, "%s in %s, %s\n", summary(outcomes), r.fleet.into, took.Round(time.Second/10))
	return err
}

// rank sorts outcomes that need attention last, next to the prompt.
func rank(s history.Status) int {
	n := slices.Index(history.Statuses, s)
	if s.Incomplete() {
		n += len(history.Statuses)
	}
	return n
}

// answered matches the beginning of the AWS CLI's errors, which the table shortens.
// For facts, that is after the kinds of facts.
var (
	answered      = lazyregexp.New(`^An error occurred \((.+?)\) when calling the (.+?) operation: `)
	answeredFacts = lazyregexp.New(`An error occurred \((.+?)\) when calling the (.+?) operation: `)
)

func writeOutcomes(w io.Writer, outcomes []history.Outcome, now time.Time) error {
	t := newTable(w, "ACCOUNT", "NAME", "OUTCOME", "AGE", "WHY")
	shown := 0
	for _, o := range outcomes {
		if len(outcomes) > mostShown && (o.Status == history.OK || o.Status == history.Cached) && o.NoFacts == "" {
			continue
		}
		shown++
		old := ""
		if !o.GeneratedAt.IsZero() {
			old = words.ShortAge(now.Sub(o.GeneratedAt))
		}
		t.row(o.Account, o.Name, string(o.Status), old,
			cmp.Or(answered.ReplaceAllString(o.Message, "$2 $1: "), answeredFacts.ReplaceAllString(o.NoFacts, "$2 $1: ")))
	}
	if shown == 0 {
		return nil
	}
	t.cutLast()
	if err := t.print(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}

// cutLast shortens the last column if the table does not fit the terminal, unless
// too little of the column would remain.
func (t *table) cutLast() {
	columns, terminal := width(t.w)
	if !terminal {
		return
	}
	const least = 12
	rest := columns - 1
	for i := range len(t.rows[0]) - 1 {
		widest := 0
		for _, row := range t.rows {
			widest = max(widest, utf8.RuneCountInString(row[i]))
		}
		rest -= max(1, widest) + 2
	}
	for _, row := range t.rows {
		last := &row[len(row)-1]
		if text := []rune(*last); rest >= least && len(text) > rest {
			*last = string(text[:rest-1]) + "…"
		}
	}
}

// summary counts the outcomes: "12 accounts: 10 ok, 2 denied".
func summary(outcomes []history.Outcome) string {
	n := map[history.Status]int{}
	for _, o := range outcomes {
		n[o.Status]++
	}
	return accountCount(len(outcomes)) + statusCounts(n, ": ")
}

// statusCounts lists the counts that are not zero, the successful ones first.
func statusCounts(n map[history.Status]int, before string) string {
	var parts []string
	for _, s := range history.Statuses {
		if n[s] > 0 {
			parts = append(parts, thousands(n[s])+" "+string(s))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return before + strings.Join(parts, ", ")
}

func accountCount(n int) string {
	if n == 1 {
		return "1 account"
	}
	return thousands(n) + " accounts"
}

// thousands returns a number with commas between thousands.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

package review

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"rollcall/internal/audit"
	"rollcall/internal/words"
)

// answers answers the questions of an auditor, each with a sentence.
func (e *evidence) answers() {
	add := func(question string, good bool, yes, no string) {
		a := questionAnswer{question, yes, "pass"}
		if !good {
			a.Text, a.Class = no, "fail"
		}
		e.Answers = append(e.Answers, a)
	}
	missing := e.missing()
	add("Is the population complete?", len(missing) == 0 && e.M.AccountList.Source != "arguments",
		"Yes: every account that was expected has a report, and every row of it is a line.", e.incomplete(missing))
	add("Has every reviewer answered?", e.S.Complete, "Yes: every line has a decision.",
		fmt.Sprintf("No: %s of %d not decided.", words.Count(e.S.Items-e.S.Decided, "line"), e.S.Items))
	late := e.late()
	add("Did the answers come in time?", e.S.Complete && len(late) == 0, "Yes: all came by "+e.M.Due.String()+".",
		e.tardy(late))
	add("Does anybody review themselves?", true, "No. A file in which a reviewer is the user is refused.", "")
	open := 0
	if e.V != nil {
		open = e.V.Count(Revoke, Pending) + e.V.Count(Change, Pending)
	}
	add("Were revocations and changes carried out, and exceptions ended?",
		e.failed == 0 && e.unknown == 0 && e.unchecked == 0 && open == 0,
		"Yes: later reports show all of them, none after its deadline.", e.undone(open))
	if p := e.M.Previous; p != nil {
		add("Was the cadence kept?", !e.M.StartedAt.After(p.StartedAt.AddDate(0, 0, e.M.EveryDays+1)),
			"Yes: "+e.Cadence+".", "No: "+e.Cadence+".")
	}
	e.Verdict = verdict{"pass", "Complete: every question below is answered with what an auditor expects."}
	n := 0
	for _, a := range e.Answers {
		if a.Class != "pass" {
			n++
		}
	}
	if n > 0 {
		e.Verdict = verdict{"fail", fmt.Sprintf("Not complete: %s below.", words.Count(n, "open point"))}
	}
}

func (e *evidence) missing() (names []string) {
	for _, a := range e.M.Accounts {
		if a.State == Missing || a.State == Incomplete {
			names = append(names, strings.TrimSpace(a.Account+" "+a.Name))
		}
	}
	return names
}

func (e *evidence) incomplete(missing []string) string {
	if len(missing) > 0 {
		return "No: " + strings.Join(missing, ", ") + "."
	}
	return "Not shown: no list of accounts was given."
}

// late returns the reviewers who answered after the last day.
func (e *evidence) late() (names []string) {
	for _, of := range e.S.Reviewers {
		if !of.CollectedAt.IsZero() && audit.DateOf(of.CollectedAt).String() > e.M.Due.String() {
			names = append(names, of.Name)
		}
	}
	return names
}

func (e *evidence) tardy(late []string) string {
	switch {
	case len(late) > 0:
		return "No: the answers of " + strings.Join(late, ", ") + " came after " + e.M.Due.String() + "."
	case e.S.Overdue:
		return "No: answers are missing, and were due by " + e.M.Due.String() + "."
	}
	return "Not yet: answers are due by " + e.M.Due.String() + "."
}

func (e *evidence) undone(open int) string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{e.failed, "late or not done"}, {open, "still open"}, {e.unknown, "not known"}, {e.unchecked, "not looked into"},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return "Not all: " + strings.Join(parts, ", ") + "."
}

// Verification reads the results of Verify. It returns nil if nobody has
// verified.
func (r *Review) Verification() (*Verification, error) {
	text, err := readFile(r.files, verifiedFile, maxJSON)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v := &Verification{}
	if err := decode(text, v, verifiedKind); err != nil {
		return nil, fmt.Errorf("%s: %w", verifiedFile, err)
	}
	if v.Freeze != r.Freeze {
		return nil, fmt.Errorf("%s: it is of another freeze", verifiedFile)
	}
	return v, nil
}

// GoneItems reads the items that only the previous review has.
func (r *Review) GoneItems() ([]Gone, error) {
	text, err := readSum(r.files, r.Manifest.Previous.Gone, goneFile)
	if err != nil {
		return nil, err
	}
	var all []Gone
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var g Gone
		if err := json.Unmarshal(lines.Bytes(), &g); err != nil {
			return nil, fmt.Errorf("%s: %w", goneFile, err)
		}
		all = append(all, g)
	}
	return all, lines.Err()
}

package review

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/enrich"
)

// before returns the decisions of the previous review.
func (f *freezing) before() (map[string]Decision, error) {
	if f.Previous == nil {
		return nil, nil
	}
	decisions, err := f.Previous.Decisions()
	if err != nil {
		return nil, fmt.Errorf("the previous review, %s: %w", f.Previous.Manifest.Name, err)
	}
	return decisions, nil
}

// recall adds the decisions of the previous review to the items.
func (f *freezing) recall(decisions map[string]Decision) {
	for n := range f.items {
		i := &f.items[n]
		d, ok := decisions[i.Line]
		if !ok {
			continue
		}
		i.Before = &Before{Decision: d.Verb, By: d.By, Reason: d.Reason, Expires: d.Expires}
		if d.Verb == Keep || d.Verb == Exception {
			i.KeptInARow = f.Previous.item(i.Line).KeptInARow + 1
		}
	}
}

// Gone is an item that only the previous review has.
type Gone struct {
	Item
	Decision *Decision `json:"decision,omitempty"`
	// Unknown means that the account is missing now, so the state of the item
	// is unknown.
	Unknown bool `json:"unknown,omitempty"`
}

// gone writes the items that only the previous review has.
func (f *freezing) gone(decisions map[string]Decision) error {
	p := f.Previous
	if p == nil {
		return nil
	}
	reviewed := map[string]bool{}
	for _, a := range f.manifest.Accounts {
		reviewed[a.Account] = a.State == Reviewed || a.State == Unlisted
	}
	var gone []Gone
	for n := range p.Items {
		i := &p.Items[n]
		if f.seen[i.Line] {
			continue
		}
		g := Gone{Item: *i, Unknown: !reviewed[i.Account]}
		if d, ok := decisions[i.Line]; ok {
			g.Decision = &d
		}
		gone = append(gone, g)
	}
	out := &Previous{Name: p.Manifest.Name, Freeze: p.Freeze, StartedAt: p.Manifest.StartedAt, GoneItems: len(gone)}
	for n := range f.items {
		if f.items[n].New {
			out.New++
		}
	}
	f.manifest.Previous = out
	var err error
	out.Gone, err = writeLines(f.Dir, goneFile, gone)
	return err
}

// changes returns sentences about the differences of an item from the previous
// review.
func changes(was, is *Item) []string {
	all := []string{}
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if was.State != is.State {
		say("It was %s and is %s.", was.State, is.State)
	}
	if was.Created != is.Created && is.Kind == kindPassword {
		say("The password was changed on %s.", day(is.Created))
	}
	switch {
	case was.LastUsed == is.LastUsed && is.LastUsed != "" && is.LastUsed != stateUnknown && is.State != stateNone:
		say("It was not used since.")
	case was.LastUsed == neverUsed && day(is.LastUsed) != "":
		say("It was used for the first time, on %s.", day(is.LastUsed))
	case was.LastUsed != is.LastUsed && day(is.LastUsed) != "":
		say("It was used, last on %s.", day(is.LastUsed))
	}
	if was.UsedFrom != is.UsedFrom && is.UsedFrom != "" && was.UsedFrom != "" {
		say("It is used for %s, and was for %s.", is.UsedFrom, was.UsedFrom)
	}
	if was.MFA != is.MFA {
		say("MFA of the user was %s and is %s.", was.MFA, is.MFA)
	}
	if was.KeyID != is.KeyID && was.KeyID != "" && is.KeyID != "" {
		say("The key id was %s.", was.KeyID)
	}
	then, now := failing(was), failing(is)
	for _, c := range now {
		if !slices.Contains(then, c) {
			say("%s fails now.", c)
		}
	}
	for _, c := range then {
		if !slices.Contains(now, c) {
			say("%s failed and no longer does.", c)
		}
	}
	return all
}

func failing(i *Item) (controls []string) {
	for _, f := range i.Findings {
		if f.Status == audit.Fail.String() && f.Exception == "" && !slices.Contains(controls, f.Control) {
			controls = append(controls, f.Control)
		}
	}
	return controls
}

// day returns the day of a time of a report, "" if it is not a time.
func day(text string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// savedFacts returns the facts of an account in the form in which 'rollcall
// report' saves them.
func savedFacts(account string, facts *audit.Enrichment) enrich.Saved {
	return enrich.Saved{Account: account, Facts: facts}
}

// digest counts and hashes the bytes that are written to it.
type digest struct {
	hash.Hash
	n int64
}

func newDigest() *digest { return &digest{Hash: sha256.New()} }

// Write implements io.Writer.
func (d *digest) Write(p []byte) (int, error) {
	d.n += int64(len(p))
	return d.Hash.Write(p)
}

func (d *digest) sum() (string, int64) { return hex.EncodeToString(d.Hash.Sum(nil)), d.n }

// join returns sentences as one text.
func join(sentences []string) string { return strings.Join(sentences, " ") }

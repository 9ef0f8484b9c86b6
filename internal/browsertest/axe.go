package browsertest

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/chromedp/chromedp"
)

//go:embed testdata/axe.min.js
var axe string

//go:embed looks.js
var looksScript string

// colours are the rules that check only colours. They take most of the time of
// axe-core, so they do not run for a text that looks like one that passed them.
var colours = []string{"color-contrast", "link-in-text-block"}

// looks holds the looks of all texts that Contrasts has checked, in any page.
var looks = struct {
	sync.Mutex
	known map[string]bool
}{known: map[string]bool{}}

// Accessible fails the test if axe-core finds a problem in the page. It checks
// all of axe-core's default rules: the colours of what looks new, and everything
// else in the whole page.
func (tab *Tab) Accessible(what string) {
	tab.t.Helper()
	off := map[string]any{}
	for _, rule := range colours {
		off[rule] = map[string]bool{"enabled": false}
	}
	tab.report(what, tab.problems("document", map[string]any{"rules": off}))
	tab.Contrasts(what)
}

// Contrasts fails the test if the colours of a text make it hard to read, or a
// link hard to find.
func (tab *Tab) Contrasts(what string) {
	tab.t.Helper()
	tab.report(what, tab.contrasts())
}

func (tab *Tab) report(what string, problems []string) {
	tab.t.Helper()
	for _, problem := range problems {
		tab.t.Errorf("%s: %s", what, problem)
	}
}

// contrasts checks the colours of one text of each look that is not known.
func (tab *Tab) contrasts() []string {
	tab.t.Helper()
	found := Eval[[]string](tab, "("+looksScript+")()")
	looks.Lock()
	fresh := []int{}
	for i, look := range found {
		if look == "" || !looks.known[look] {
			fresh, looks.known[look] = append(fresh, i), true
		}
	}
	looks.Unlock()
	if len(fresh) == 0 {
		return nil
	}
	return tab.problems(fmt.Sprintf("{include: %s.map(i => looked[i])}", asJSON(tab, fresh)),
		map[string]any{"runOnly": colours})
}

// problems returns what axe-core finds in a part of the page by some of its rules.
func (tab *Tab) problems(part string, options map[string]any) (all []string) {
	tab.t.Helper()
	if !Eval[bool](tab, `"axe" in window`) {
		Run(tab, chromedp.Evaluate[json.RawMessage](axe+";true"))
	}
	options["resultTypes"] = []string{"violations"}
	type violation struct {
		ID, Help string
		Nodes    []struct{ HTML, FailureSummary string }
	}
	run := fmt.Sprintf("axe.run(%s, %s).then(r => r.violations)", part, asJSON(tab, options))
	for _, v := range Eval[[]violation](tab, run) {
		for _, n := range v.Nodes {
			all = append(all, fmt.Sprintf("%s: %s\n%s\n%s", v.ID, v.Help, n.HTML, n.FailureSummary))
		}
	}
	return all
}

func asJSON(tab *Tab, value any) []byte {
	tab.t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		tab.t.Fatal(err)
	}
	return text
}

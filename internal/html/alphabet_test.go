package html_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"rollcall/internal/audit"
	"rollcall/internal/html"
)

// shortNames returns different names of few letters, so that many differ only in
// case, in punctuation, or in their last letter.
func shortNames(n int) []string {
	p, seen := rand.New(rand.NewPCG(5, 6)), map[string]bool{}
	letters := []rune("aAbBzZ019-_.,=+@ ~$é日")
	var names []string
	for len(names) < n {
		var name []rune
		for range 1 + p.IntN(4) {
			name = append(name, letters[p.IntN(len(letters))])
		}
		if text := strings.TrimSpace(string(name)); text != "" && !seen[text] {
			seen[text] = true
			names = append(names, text)
		}
	}
	return names
}

// TestAlphabet checks that names are sorted as the browser's collator sorts
// them, and that a search finds the same users as a comparison with every name.
func TestAlphabet(t *testing.T) {
	names := shortNames(60)
	auditor, err := audit.New(audit.Options{EveryRow: true, Now: made})
	if err != nil {
		t.Fatal(err)
	}
	b := html.New(html.Options{Made: made})
	r := b.Report()
	file := newPerson().csv("111122223300", len(names), names...)
	s, err := auditor.Audit(context.Background(), bytes.NewReader(file), audit.Source{Generated: made}, nil, r.Row)
	if err != nil {
		t.Fatal(err)
	}
	r.End(s)
	br := open(t, b, auditor.Summary())
	br.Window(1400, 9000) // so that every row is in view
	const users = `[...new Set([...document.querySelectorAll("#screen-credentials td.c-user")]
		.map((td) => td.textContent))].filter((name) => name !== "the report" && name !== "<root_account>")`
	for direction, sign := range map[string]string{"ascending": "", "descending": "-"} {
		br.show("#credentials?sort=user&direction=" + direction)
		br.want(users+".length", fmt.Sprint(len(names)))
		br.want(fmt.Sprintf(`((names) => names.join("\n") === [...names].sort((a, b) =>
			%snew Intl.Collator("en").compare(a, b)).join("\n"))(%s)`, sign, users), "true")
	}
	for _, word := range []string{"z", "z0", "é", "日", "Z", "_", "$", "11112222", "nobody"} {
		found := 0
		for _, name := range names {
			if strings.Contains(strings.ToLower(name+" 111122223300"), strings.ToLower(word)) {
				found++
			}
		}
		br.show("#credentials?sort=user&q=" + word)
		br.want(users+".length", fmt.Sprint(found))
	}
}

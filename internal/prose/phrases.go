package main

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
)

//go:embed phrases.txt
var phrasesText string

// stilted is an expression that plain English has a better word for.
type stilted struct {
	better string // the words to write
	re     *regexp.Regexp
	not    *regexp.Regexp // a match of re that this matches too is in order
}

var phrases = readPhrases(phrasesText)

// readPhrases reads lines of "expression = better word", or "expression BUT
// exception = better word". Case does not matter. A blank line or one that
// begins with # is skipped. A list that cannot be read panics.
func readPhrases(text string) []stilted {
	var list []stilted
	for _, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		entry, better, ok := strings.Cut(line, " = ")
		if !ok {
			panic(fmt.Sprintf("phrases.txt: no better word in %q", line))
		}
		re, not, but := strings.Cut(entry, " BUT ")
		s := stilted{better: better, re: regexp.MustCompile("(?i)" + re)}
		if but {
			s.not = regexp.MustCompile("(?i)^(" + not + ")")
		}
		list = append(list, s)
	}
	return list
}

// stiltedIn calls found with the place of every stilted expression in a text.
func stiltedIn(text string, found func(start, end int, s stilted)) {
	for _, s := range phrases {
		for _, at := range s.re.FindAllStringIndex(text, -1) {
			if s.not == nil || !s.not.MatchString(text[at[0]:]) {
				found(at[0], at[1], s)
			}
		}
	}
}

// opens matches a comment that defines its subject by a relative clause. The
// subject has at most three words.
var opens = regexp.MustCompile(
	`^(\S+ ){0,2}[^\s,;:.]+ (is|are|was|were) (what|who|whom|whose|how|where|why|when|whether)\b`)

// opensBadly returns the words of such an opening, "" if there is none.
func opensBadly(comment string) string {
	return opens.FindString(strings.Join(strings.Fields(comment), " "))
}

// Package lazyregexp provides regular expressions that are compiled on first
// use. Package variables would otherwise compile them at every start of the
// program, although most runs use none.
package lazyregexp

import (
	"regexp"
	"sync"
)

// Regexp is a regular expression, safe for concurrent use.
type Regexp struct {
	compiled func() *regexp.Regexp
}

// New returns the expression of a text in the syntax of package regexp. The
// first use panics if it cannot be parsed.
func New(expr string) *Regexp {
	return &Regexp{sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })}
}

// MatchString reports whether s contains a match.
func (r *Regexp) MatchString(s string) bool { return r.compiled().MatchString(s) }

// FindStringSubmatch returns the leftmost match and its groups, nil for none.
func (r *Regexp) FindStringSubmatch(s string) []string { return r.compiled().FindStringSubmatch(s) }

// ReplaceAllString returns s with all matches replaced by text, in which $1
// means the first group.
func (r *Regexp) ReplaceAllString(s, text string) string {
	return r.compiled().ReplaceAllString(s, text)
}

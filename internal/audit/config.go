package audit

import "io"

// Config is a configuration file.
type Config struct {
	// Profile is the benchmark, "" where the file names none.
	Profile    Standard
	Classes    Classes
	Exceptions []Exception
}

// ReadConfig reads a configuration: YAML with the keys version, profile,
// params, classify and exceptions. What it does not know it refuses, and so it
// does wildcards in exceptions unless they are allowed. Errors name the line.
func ReadConfig(r io.Reader, allowWildcards bool) (*Config, error) { panic("not yet") }

// Params returns the thresholds of a benchmark with those of the file in their
// place.
func (c *Config) Params(b *Benchmark) (Params, error) { panic("not yet") }

// ReadExceptions reads a file of exceptions: YAML with the keys version and
// exceptions, and otherwise as ReadConfig.
func ReadExceptions(r io.Reader, allowWildcards bool) ([]Exception, error) { panic("not yet") }

// Classes says which users are of which class. The first list with a matcher
// that fits decides: BreakGlass, Machine, Human; a user whom none fits is human
// with a password and machine without. A class is a label and sets the limit of
// C9; it excuses nobody.
type Classes struct {
	Human, Machine, BreakGlass []Matcher
}

// Matcher fits some users. It is made by [ParseMatcher].
type Matcher struct{}

// ParseMatcher reads one of
//
//	password_enabled       has a password
//	no_password            has none
//	user~^svc-             the name has a match of the regular expression
//	user:svc-*             the name as a whole fits the pattern
//	path:/machines/*       so does the path
//	arn:*:user/machines/*  so does the ARN
//
// In a pattern * stands for any run of characters, and ? for one.
func ParseMatcher(s string) (Matcher, error) { panic("not yet") }

// Imported is what came of a foreign exceptions file.
type Imported struct {
	Exceptions []Exception
	// Notes say what could not be carried over, a line each.
	Notes []string
}

// ImportDefaults are what a foreign file lacks and every exception needs.
type ImportDefaults struct {
	Owner, Ticket string
	Expires       Date
}

// ImportMutelist turns a Prowler mutelist into exceptions.
func ImportMutelist(r io.Reader, d ImportDefaults) (*Imported, error) { panic("not yet") }

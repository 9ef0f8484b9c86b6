package plan

import "rollcall/internal/escape"

// quote returns s as one word for a shell.
func quote(s string) string { return escape.Shell(s) }

// option returns an option with a value as one word, because the value may
// begin with a dash.
func option(name, value string) string { return name + "=" + quote(value) }

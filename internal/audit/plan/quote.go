package plan

import "rollcall/internal/escape"

// quote returns s as one word of a shell's.
func quote(s string) string { return escape.Shell(s) }

// option is an option with a value that may begin with a dash: as one word, it
// is not taken for an option itself.
func option(name, value string) string { return name + "=" + quote(value) }

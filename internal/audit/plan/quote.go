package plan

import "strings"

// plain are the characters that mean nothing to a shell, wherever they are.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.,/:@%+"

// quote returns s as one word of a shell's.
func quote(s string) string {
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// option is an option with a value that may begin with a dash: as one word, it
// is not taken for an option itself.
func option(name, value string) string { return name + "=" + quote(value) }

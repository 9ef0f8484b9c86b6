// Package escape makes texts of others safe for the place that shows them: a
// terminal, Markdown or a spreadsheet.
package escape

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"rollcall/internal/lazyregexp"
)

// Printable returns s with every unprintable character as an escape. User names
// cannot contain any, but a file that claims to be a report can.
func Printable(s string) string {
	clean := true
	for _, r := range s {
		if clean = r != utf8.RuneError && strconv.IsGraphic(r); !clean {
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case strconv.IsGraphic(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		i += size
	}
	return b.String()
}

// Markdown returns a text that stays text in Markdown, even in the cell of a
// table. It contains no markup, no link and, in an issue, no mention.
func Markdown(s string) string {
	return mention.ReplaceAllString(markdownEscapes.Replace(Printable(s)), "$1@<!-- -->$2")
}

// mention matches a text that GitHub reads as the mention of a person or a team.
// GitHub reads each text node of the page, in which a character reference is the
// character. A comment splits the node.
var mention = lazyregexp.New(`(^|\W)@(\w)`)

var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`, "~", `\~`, "$", `\$`,
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "://", "&#58;//", "www.", "www&#46;",
)

// CSVCell returns a cell that no spreadsheet reads as a formula: a text that
// begins like one gets an apostrophe at the front, as OWASP advises. The
// full-width signs also count, because they start formulas if the spreadsheet's
// language is Japanese or Chinese. A tab or a carriage return at the front
// would hide the sign from us and not from the spreadsheet. Both are
// unprintable and become escapes.
func CSVCell(cell string) string {
	cell = Printable(cell)
	for _, sign := range []string{"=", "+", "-", "@", "＝", "＋", "－", "＠"} {
		if strings.HasPrefix(strings.TrimLeft(cell, " \u3000\u00a0"), sign) {
			return "'" + cell
		}
	}
	return cell
}

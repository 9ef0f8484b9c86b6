package escape_test

import (
	"encoding/json"
	"html"
	"regexp"
	"rollcall/internal/escape"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

const hostile = "=HYPERLINK(\"http://x\")\x1b[31m\u202e|<b>`::error::\r\n::stop-commands::x,]]>\u009b2J\U000e0041"

func TestPrintable(t *testing.T) {
	name := "\x1b[2J\x07\u202etxt\u200b\n"
	if got, want := escape.Printable(name), `\x1b[2J\a\u202etxt\u200b\n`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := escape.Printable("a\xff\x00\ufffd"), `a\xff\x00�`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := escape.Printable("Zoë=+,.@_-"); got != "Zoë=+,.@_-" {
		t.Error(got)
	}
}

func TestCSVCell(t *testing.T) {
	for cell, want := range map[string]string{
		"Bob": "Bob", "": "", "a=b": "a=b", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)",
		"\t=1": `\t=1`, "\r=1": `\r=1`, " =1": "' =1", "＝1": "'＝1", "2026-11-23T10:15:00Z": "2026-11-23T10:15:00Z",
		"\n=1": `\n=1`,
	} {
		if got := escape.CSVCell(cell); got != want {
			t.Errorf("%q: got %q, want %q", cell, got, want)
		}
	}
}

// TestMarkdownMentions checks that no user's name mentions a person of GitHub, which
// reads each text node of the page.
func TestMarkdownMentions(t *testing.T) {
	mentions := regexp.MustCompile(`(?i)(?:^|\W)@[a-z0-9]`)
	for _, name := range []string{
		"@octocat", "a @octocat", "a,@octocat", "a.@octocat", "a-@octocat", "a+@octocat/x", "=@@octocat", "é@octocat",
		"<@octocat>", "@a,@b", "*@octocat*", "(@org/team)", "bob@example.com", "a_@octocat",
	} {
		for node := range strings.SplitSeq(html.UnescapeString(escape.Markdown(name)), "<!-- -->") {
			if mentions.MatchString(node) {
				t.Errorf("%q mentions somebody: %q", name, node)
			}
		}
	}
	if got := escape.Markdown("bob@example.com"); got != "bob@example.com" {
		t.Errorf("got %q", got)
	}
}

// FuzzAppendJSON checks that the output is one line of graphic characters and
// reads as the original text.
func FuzzAppendJSON(f *testing.F) {
	for _, s := range []string{"", hostile, "\xff", "a\u2028b", "é\u0301", "\x7f\u0085"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line, err := escape.AppendJSON(nil, s)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range string(line) {
			if !strconv.IsGraphic(r) {
				t.Fatalf("%q in %q", r, line)
			}
		}
		var got string
		if err := json.Unmarshal(line, &got); err != nil ||
			got != strings.ToValidUTF8(s, "\ufffd") && utf8.ValidString(s) {
			t.Fatalf("%q became %q: %v", s, got, err)
		}
	})
}

// FuzzInert checks that no text becomes a formula, more than a line, or
// unprintable.
func FuzzInert(f *testing.F) {
	for _, s := range []string{"", "=1", "\t=1", " +1", hostile, "\u3000＝1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := escape.CSVCell(s)
		if trimmed := strings.TrimLeft(got, " \u3000\u00a0"); trimmed != "" &&
			strings.ContainsRune("=+-@＝＋－＠", []rune(trimmed)[0]) {
			t.Fatalf("%q stays a formula: %q", s, got)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return !strconv.IsGraphic(r) }) {
			t.Fatalf("%q stays unprintable: %q", s, got)
		}
	})
}

package automaton_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"rollcall/internal/automaton"
)

// FuzzCompile compares the function of any expression with package regexp.
func FuzzCompile(f *testing.F) {
	for _, expression := range []string{
		"", "^$", "a", "^svc-", "@example[.]com$", "^root$", "^[a-z]+[.][a-z]+-[0-9]+$", "(?i)^(admin|root)", `\bprod\b`,
		`(?m)^a$`, `(?s)^.*$`, "^.$", `\Ba`, "[^a]", "größe", "(prod|staging|test)-[0-9]{2,12}", `\pL+`,
		"x*", "(?:(?:a{3}){3}){3}$",
		"(?i)k", "\ufffd", `^\s*$`, `[[:word:]]$`, "(", "a|b|", `\z`, `\A\z`, "^^a", "$a", "(?U)a+$", `(?m)$\n^`,
	} {
		for _, text := range []string{"", "a", "svc-admin", "root", "größe", "\xff", "first.last-0001", "a\nb\n"} {
			f.Add(expression, text)
		}
	}
	f.Fuzz(func(t *testing.T, expression, text string) {
		match, err := automaton.Compile(expression)
		want, wantErr := regexp.Compile(expression)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: %v, and regexp: %v", expression, err, wantErr)
		}
		if err == nil && match(text) != want.MatchString(text) {
			t.Fatalf("%q of %q is %t", expression, text, match(text))
		}
	})
}

// TestMatch compares random expressions with package regexp, applied to random texts
// and to beginnings and ends of texts that match.
func TestMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		expression := drawExpression(t, 3)
		match, err := automaton.Compile(expression)
		if err != nil {
			t.Skip(err)
		}
		want := regexp.MustCompile(expression)
		for range 20 {
			text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 12).Draw(t, "text"), "")
			if match(text) != want.MatchString(text) {
				t.Fatalf("%q of %q is %t", expression, text, match(text))
			}
		}
	})
}

// pieces make up the texts.
var pieces = []string{"a", "b", "ab", "0", "_", "-", ".", "\n", " ", "K", "k", "ö", "\u212a", "\ufffd", "\xff", "\xc3",
	"aaaaaaaa", "abababababababab"}

func drawExpression(t *rapid.T, depth int) string {
	form := rapid.IntRange(0, 9).Draw(t, "form")
	if depth == 0 {
		form = 9
	}
	switch form {
	case 0, 1, 2, 3:
		return drawExpression(t, depth-1) + drawExpression(t, depth-1)
	case 4:
		return "(" + drawExpression(t, depth-1) + "|" + drawExpression(t, depth-1) + ")"
	case 5, 6:
		return "(" + drawExpression(t, depth-1) + ")" +
			rapid.SampledFrom([]string{"*", "+", "?", "*?", "{2}", "{1,3}", "{2,}", "{9}"}).Draw(t, "times")
	case 7:
		return "(?" + rapid.SampledFrom([]string{"i", "m", "s", "U", "ims"}).Draw(t, "flags") + ":" +
			drawExpression(t, depth-1) + ")"
	}
	return rapid.SampledFrom([]string{"a", "b", "ab", "[ab]", "[^a]", ".", "^", "$", `\b`, `\B`, `\w`, `\W`, `\d`, `\s`,
		"k", "ö", `\n`, `\A`, `\z`, `\pL`, `[[:alpha:]]`, "\ufffd", `\x{212a}`, "", "abab"}).Draw(t, "atom")
}

// TestLarge checks expressions of more states, and those that are left to regexp.
func TestLarge(t *testing.T) {
	for _, expression := range []string{
		"^(alice|bob|carol|dave|erin|frank|grace|heidi)$", "(alice|bob|carol|dave|erin|frank|grace|heidi)",
		"^[a-z]{20,30}$", "(a|b)*a(a|b){9}$", "(a|b)*a(a|b){5}$", "^(?:[a-z]{1,100}){1,9}$", "(?i)(production|staging)$",
	} {
		match, err := automaton.Compile(expression)
		if err != nil {
			t.Fatal(err)
		}
		want := regexp.MustCompile(expression)
		for _, word := range []string{"", "a", "alice", "frank", "x", "ab", "PRODUCTION", "größe", "babbabbabb", "heid"} {
			for n := range 12 {
				for _, text := range []string{strings.Repeat(word, n), word + strings.Repeat("b", n),
					strings.Repeat("a", n) + word} {
					if match(text) != want.MatchString(text) {
						t.Errorf("%q of %q is %t", expression, text, match(text))
					}
				}
			}
		}
	}
}

// TestEveryByte applies expressions to each byte and to each two bytes.
func TestEveryByte(t *testing.T) {
	for _, expression := range []string{".", "^.$", "^..$", `\w`, `^\W`, "(?i)[k-s]$", "[^a-z]", `\b`, `^\B`, "(?m)^.$",
		"\ufffd", "(?i)st", "a[^\x00-\x7f]"} {
		match, err := automaton.Compile(expression)
		if err != nil {
			t.Fatal(err)
		}
		want := regexp.MustCompile(expression)
		for c := range 0x10000 {
			text := string([]byte{byte(c), byte(c >> 8)})
			if c < 0x100 {
				text = text[:1]
			}
			if match(text) != want.MatchString(text) {
				t.Errorf("%q of %q is %t", expression, text, match(text))
			}
		}
		for c := rune(0); c <= utf8.MaxRune; c += 7 {
			if text := string(c); match(text) != want.MatchString(text) {
				t.Errorf("%q of %q is %t", expression, text, match(text))
			}
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	const text = "firstname.lastname-0001234"
	for _, expression := range []string{"^svc-", "^[a-z]+[.][a-z]+-[0-9]+$", "(admin|root)",
		"(alice|bob|carol|dave|erin|frank|grace|heidi)", `\bname\b`} {
		match, err := automaton.Compile(expression)
		if err != nil {
			b.Fatal(err)
		}
		regexp := regexp.MustCompile(expression)
		b.Run("automaton/"+expression, func(b *testing.B) {
			for b.Loop() {
				match(text)
			}
		})
		b.Run("regexp/"+expression, func(b *testing.B) {
			for b.Loop() {
				regexp.MatchString(text)
			}
		})
	}
}

package policy

import (
	"context"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func mustCompile(t testing.TB, text string, s syntax) pattern {
	t.Helper()
	p, ok := compile(text, s)
	if !ok {
		t.Fatalf("compile %q: malformed", text)
	}
	return p
}

// match has a separate evaluation for each pattern. If case is ignored the text
// must be in begin's form of an action.
func match(p pattern, s string, ctx Context) bool {
	e := begin(context.Background(), Request{Action: s, Context: ctx})
	if p.fold {
		s = e.action.text
	}
	return e.match(&p, s)
}

func TestPatternMatch(t *testing.T) {
	action := syntax{wild: true, fold: true}
	resource := syntax{wild: true, vars: true}
	tests := []struct {
		name, pattern, s string
		syntax           syntax
		want             bool
	}{
		{"empty matches empty", "", "", action, true},
		{"empty matches nothing else", "", "a", action, false},
		{"action in other case", "IAM:createuser", "iam:CreateUser", action, true},
		{"action's wildcard in other case", "iam:*USER", "iam:CreateUser", action, true},
		{"action longer", "iam:CreateUser", "iam:CreateUserX", action, false},
		{"action shorter", "iam:CreateUser", "iam:Create", action, false},
		{"question is one character", "iam:Get?ser", "iam:GetUser", action, true},
		{"question is not none", "iam:GetUser?", "iam:GetUser", action, false},
		{"question is one character of several bytes", "a?b", "aéb", resource, true},
		{"question at the end", "a*?", "aé", resource, true},
		{"question at the end of nothing", "a*?", "a", resource, false},
		{"only letters have case", "a@", "a`", action, false},
		{"letters beyond ASCII have case", "*É", "xé", action, true},
		{"letters of ASCII have case beyond it", "k*", "\u212ab", action, true},
		{"resource has case", "arn:aws:iam::1:user/Bob", "arn:aws:iam::1:user/bob", resource, false},
		{"asterisk matches none", "a*b", "ab", resource, true},
		{"asterisk crosses slashes", "arn:aws:iam::1:user/*", "arn:aws:iam::1:user/a/b/c", resource, true},
		{"asterisk crosses colons", "arn:aws:logs:*", "arn:aws:logs:eu:1:group:a", resource, true},
		{"suffix may not overlap prefix", "aba*ba", "aba", resource, false},
		{"last run is looked for at the end", "*ab", "abxab", resource, true},
		{"middle run at its leftmost place", "*a*b*c", "aXbXabc", resource, true},
		{"middle run missing", "*a*z*c", "aXbXabc", resource, false},
		{"two asterisks are one", "a**b", "axxb", resource, true},
		{"only asterisk matches the resource *", "arn:*", "*", resource, false},
		{"asterisk matches the resource *", "*", "*", resource, true},
		{"escaped asterisk is itself", "a${*}", "a*", resource, true},
		{"escaped asterisk is not a wildcard", "a${*}", "ab", resource, false},
		{"escaped question and dollar", "${?}${$}{x}", "?${x}", resource, true},
		{"no wildcards where none are read", "a*", "ab", syntax{}, false},
		{"dollar without brace", "a$b", "a$b", resource, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := mustCompile(t, test.pattern, test.syntax)
			if got := match(p, test.s, nil); got != test.want {
				t.Errorf("%q matches %q = %v, want %v", test.pattern, test.s, got, test.want)
			}
		})
	}
}

func TestPatternVariables(t *testing.T) {
	ctx := NewContext(map[string][]string{
		"aws:username":             {"bob"},
		"aws:PrincipalTag/Team":    {"a*"},
		"aws:TagKeys":              {"a", "b"},
		"aws:PrincipalTag/Empty":   {""},
		"aws:PrincipalTag/Nothing": {},
	})
	tests := []struct {
		name, pattern, s string
		want             bool
	}{
		{"value", "user/${aws:username}", "user/bob", true},
		{"key in other case", "user/${AWS:UserName}", "user/bob", true},
		{"with white space", "user/${ aws:username }", "user/bob", true},
		{"value and more", "user/${aws:username}/*", "user/bob/x", true},
		{"asterisk of a value is itself", "user/${aws:PrincipalTag/team}", "user/abc", false},
		{"value with an asterisk", "user/${aws:PrincipalTag/team}", "user/a*", true},
		{"empty value", "user/${aws:PrincipalTag/Empty}x", "user/x", true},
		{"unresolved matches nothing", "user/*${aws:PrincipalTag/Other}", "user/", false},
		{"no values is unresolved", "user/*${aws:PrincipalTag/Nothing}", "user/", false},
		{"several values are unresolved", "${aws:TagKeys}*", "a", false},
		{"default", "${aws:PrincipalTag/Other, 'all'}", "all", true},
		{"default not needed", "${aws:username, 'all'}", "bob", true},
		{"default with a brace and a comma", "${x:y, 'a},b'}c", "a},bc", true},
		{"empty default", "a${x:y,''}", "a", true},
		{"default with an asterisk is literal", "${x:y, '*'}", "z", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := mustCompile(t, test.pattern, syntax{wild: true, vars: true})
			if got := match(p, test.s, ctx); got != test.want {
				t.Errorf("%q matches %q = %v, want %v", test.pattern, test.s, got, test.want)
			}
		})
	}
}

func TestCompile(t *testing.T) {
	for _, text := range []string{"${", "${}", "${aws:username", "${ }", "${a${b}", "${a, b}", "${a, 'b}", "${a,}",
		"${a 'b'}"} {
		t.Run("refuses "+text, func(t *testing.T) {
			if _, ok := compile(text, syntax{wild: true, vars: true}); ok {
				t.Errorf("compile %q succeeded", text)
			}
			if p := mustCompile(t, text, syntax{}); !match(p, text, nil) {
				t.Errorf("%q does not match itself where it is plain text", text)
			}
		})
	}
}

func TestMatchARN(t *testing.T) {
	tests := []struct {
		name, pattern, arn string
		want               bool
	}{
		{"equal", "arn:aws:iam::1:user/a", "arn:aws:iam::1:user/a", true},
		{"wildcard in the account", "arn:aws:iam::*:user/a", "arn:aws:iam::1:user/a", true},
		{"wildcard stays in its part", "arn:aws:*:user/a", "arn:aws:iam::1:user/a", false},
		{"wildcard of the resource crosses colons", "arn:aws:logs:eu:1:*", "arn:aws:logs:eu:1:group:a", true},
		{"colons of the resource compare", "arn:aws:logs:eu:1:group:*", "arn:aws:logs:eu:1:group:a", true},
		{"case counts", "arn:aws:iam::1:user/a", "arn:aws:iam::1:user/A", false},
		{"an asterisk is not an ARN", "*", "arn:aws:iam::1:user/a", false},
		{"too few parts in the value", "arn:aws:iam::1:*", "arn:aws:iam::1", false},
		{"empty part is not a wildcard", "arn:aws:iam:::user/a", "arn:aws:iam::1:user/a", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := mustCompile(t, test.pattern, globbing)
			parts := splitARN(p.tokens)
			e := begin(t.Context(), Request{})
			if got := parts != nil && isARN(test.arn) && e.matchARN(parts, test.arn); got != test.want {
				t.Errorf("%q matches %q = %v, want %v", test.pattern, test.arn, got, test.want)
			}
		})
	}
}

// Long patterns are matched by other methods than short ones, with the same
// result.
func TestLongPatterns(t *testing.T) {
	letters := []string{"a", "a", "a", "b", "?", "?", "é", "😀", "*"}
	rapid.Check(t, func(t *rapid.T) {
		some := letters[:rapid.IntRange(len(letters)-1, len(letters)).Draw(t, "with asterisks")]
		n := rapid.SampledFrom([]int{10, 17, 40, 63, 64, 65, 130, 200}).Draw(t, "length")
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(some), n, n).Draw(t, "pattern"), "")
		plain := rapid.SampledFrom([]string{"a", "a", "a", "b", "é", "😀"})
		// A text that is built from the pattern matches often.
		s := strings.Join(rapid.SliceOfN(plain, 0, 50).Draw(t, "before"), "")
		for _, r := range text {
			switch r {
			case '*':
				s += strings.Join(rapid.SliceOfN(plain, 0, 3).Draw(t, "few"), "")
			case '?':
				s += rapid.SampledFrom([]string{"a", "b", "é"}).Draw(t, "one")
			default:
				s += string(r)
			}
		}
		if rapid.Bool().Draw(t, "open") {
			text = "*" + text + "*"
		}
		p, _ := compile(text, syntax{wild: true})
		if got, want := match(p, s, nil), glob(text).MatchString(units(s)); got != want {
			t.Fatalf("%q matches %q = %v, want %v", text, s, got, want)
		}
	})
}

// TestPatternCost checks the bound of the matcher on the inputs that make
// backtracking matchers slow.
func TestPatternCost(t *testing.T) {
	s := strings.Repeat("a", 1<<18)
	for name, text := range map[string]string{
		"many asterisks":             strings.Repeat("*a", 200) + "*b",
		"a long run":                 "*" + strings.Repeat("a", 3000) + "b*",
		"a long run with questions":  "*" + strings.Repeat("a?", 2000) + "b*",
		"many runs with questions":   strings.Repeat("*"+strings.Repeat("a?", 100), 20) + "*b*",
		"few questions in long runs": "*" + strings.Repeat("a", 2000) + "?" + strings.Repeat("a", 2000) + "b*",
	} {
		p := mustCompile(t, text, syntax{wild: true})
		e := begin(t.Context(), Request{})
		if e.match(&p, s) || e.err != nil {
			t.Errorf("%s: matched, or %v", name, e.err)
		}
		t.Logf("%s: %d looks", name, e.looks)
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("a*b?c", "axxbxc", false)
	f.Add("*A*é?", "xaxÉz", true)
	f.Add("?*K", "\u212a\u212a", true)
	f.Add("*??b*?", "😀bΣ", true)
	f.Fuzz(func(t *testing.T, text, s string, fold bool) {
		if len(text) > 100 || !utf8.ValidString(text) || !utf8.ValidString(s) {
			return
		}
		p := mustCompile(t, text, syntax{wild: true, fold: fold})
		want := glob(text).MatchString(units(s))
		if fold {
			want = glob(lower(text)).MatchString(units(lower(s)))
		}
		if got := match(p, s, nil); got != want {
			t.Errorf("%q matches %q (fold %v) = %v, want %v", text, s, fold, got, want)
		}
	})
}

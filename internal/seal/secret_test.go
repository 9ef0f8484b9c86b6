package seal

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSecretPrintsRedacted(t *testing.T) {
	const canary = "canary-7f3a"
	s := NewSecret(canary)
	type holder struct {
		Public  Secret
		private Secret
		Nested  struct{ deep *Secret }
	}
	h := holder{Public: s, private: s}
	h.Nested.deep = &s

	printed := map[string]string{}
	for _, verb := range []string{"%s", "%v", "%+v", "%#v", "%q", "%x", "%d", "%T"} {
		printed["secret "+verb] = fmt.Sprintf(verb, s)
		printed["struct "+verb] = fmt.Sprintf(verb, h)
		printed["pointer "+verb] = fmt.Sprintf(verb, &h)
	}
	printed["error"] = fmt.Errorf("use %v: %w", s, errors.New("no")).Error()
	for name, marshal := range map[string]func(any) ([]byte, error){"json": json.Marshal, "xml": xml.Marshal} {
		out, err := marshal(struct{ S Secret }{s})
		if name == "json" && err != nil {
			t.Fatal(err)
		}
		printed[name] = string(out)
	}
	keys, err := json.Marshal(map[string]any{"a": []Secret{s}})
	if err != nil {
		t.Fatal(err)
	}
	printed["json list"] = string(keys)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "s", s, "h", h)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "s", s, "h", h)
	printed["slog"] = log.String()

	for name, text := range printed {
		if strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
			t.Errorf("%s printed the secret: %s", name, text)
		}
	}
	if got := s.String() + s.GoString() + fmt.Sprint(s); got != "REDACTEDREDACTEDREDACTED" {
		t.Errorf("printed %q", got)
	}
	if s.Reveal() != canary {
		t.Errorf("Reveal() = %q", s.Reveal())
	}
	if _, err := s.Value(); err == nil {
		t.Error("database/sql takes the secret as it is")
	}
}

func TestSecretEqual(t *testing.T) {
	if !NewSecret("a").Equal(NewSecret("a")) || NewSecret("a").Equal(NewSecret("b")) ||
		!(Secret{}).Equal(NewSecret("")) {
		t.Error("Equal compares something else than the text")
	}
	if !(Secret{}).IsEmpty() || !NewSecret("").IsEmpty() || NewSecret("a").IsEmpty() {
		t.Error("IsEmpty")
	}
	if d := cmp.Diff(NewSecret("a"), NewSecret("a")); d != "" {
		t.Error(d)
	}
}

func TestRandomSecrets(t *testing.T) {
	for name, c := range map[string]struct {
		make func() Secret
		form string
	}{
		"secret access key": {NewSecretAccessKey, `^[A-Za-z0-9+/]{40}$`},
		"service password":  {NewServicePassword, `^[A-Za-z0-9+/]{60}$`},
		"TOTP seed":         {NewTOTPSeed, `^[A-Z2-7]{64}$`},
	} {
		a, b := c.make().Reveal(), c.make().Reveal()
		if !regexp.MustCompile(c.form).MatchString(a) || a == b {
			t.Errorf("%s: %q, %q", name, a, b)
		}
	}
}

func TestNewID(t *testing.T) {
	for _, c := range []struct {
		prefix string
		length int
	}{{"AIDA", 21}, {"ACCA", 21}, {"APKA", 20}} {
		seen := map[string]bool{}
		for range 1000 {
			id := NewID(c.prefix, c.length)
			if len(id) != c.length || !regexp.MustCompile("^"+c.prefix+"[A-Z2-7]+$").MatchString(id) || seen[id] {
				t.Fatalf("NewID(%q, %d) = %q", c.prefix, c.length, id)
			}
			seen[id] = true
		}
	}
}

func TestAccountOfKeyID(t *testing.T) {
	for _, c := range []struct {
		name, id, account string
		ok                bool
	}{
		// An example that AWS published, with the account that its decoders
		// return.
		{"published example", "ASIAQNZGKIQY56JQ7WML", "029608264753", true},
		{"old kind, mark bit clear", "AKIAIOSFODNN7EXAMPLE", "", false},
		{"too short", "ASIAQNZGKIQY56JQ7WM", "", false},
		{"lower case", "ASIAqnzgkiqy56jq7wml", "", false},
		{"not base32", "ASIAQNZGKIQY56JQ7W1L", "", false},
		{"number beyond twelve digits", "AKIA7777777777777777", "", false},
		{"empty", "", "", false},
	} {
		account, ok := AccountOfKeyID(c.id)
		if account != c.account || ok != c.ok {
			t.Errorf("%s: %q, %v", c.name, account, ok)
		}
	}
}

func TestNewAccessKeyID(t *testing.T) {
	for _, account := range []string{"000000000000", "000000000001", "123456789012", "999999999999"} {
		seen := map[string]bool{}
		for range 100 {
			id, err := NewAccessKeyID("AKIA", account)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := AccountOfKeyID(id)
			if !regexp.MustCompile("^AKIA[A-Z2-7]{16}$").MatchString(id) || got != account || !ok || seen[id] {
				t.Fatalf("%s for %s carries %q, %v", id, account, got, ok)
			}
			seen[id] = true
		}
	}
	for _, bad := range []string{"", "12345678901", "1234567890123", "12345678901x", "+12345678901"} {
		if id, err := NewAccessKeyID("AKIA", bad); err == nil {
			t.Errorf("account %q gave %s", bad, id)
		}
	}
	if _, err := NewAccessKeyID("AK", "123456789012"); err == nil {
		t.Error("short prefix accepted")
	}
}

func FuzzAccountOfKeyID(f *testing.F) {
	f.Add("ASIAQNZGKIQY56JQ7WML")
	f.Fuzz(func(t *testing.T, id string) {
		account, ok := AccountOfKeyID(id)
		if _, valid := accountNumber(account); ok != valid {
			t.Errorf("%q: %q, %v", id, account, ok)
		}
	})
}

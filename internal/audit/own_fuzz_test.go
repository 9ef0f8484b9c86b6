package audit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rollcall/internal/audit"
)

// FuzzOwnControls judges a report by any expression. Each expression is refused
// with a sentence, or decides in a short time.
func FuzzOwnControls(f *testing.F) {
	for _, seed := range []string{
		"key.age_days <= 30", "user.tags['a'] == 'b'", "user.keys.all(k, user.keys.all(l, k.slot == l.slot))",
		"user.arn.matches('^(a+)+$')", "1/0 == 1", "user.keys[7].active", "timestamp('x') < key.created",
		"[1,2,3].map(x, [x,x,x].map(y, [y,y,y])).size() == 9", "duration('9999999h') > duration('1s')", "user == user",
		"key", "'a' + 'b' == user.name", "dyn(user).name == 1", "type(user) == type(key)", "{'a': user}.a.mfa",
	} {
		f.Add(seed, "access_key")
		f.Add(seed, "user")
	}
	report := largeReport(f, 20)
	f.Fuzz(func(t *testing.T, expression, scope string) {
		text := fmt.Sprintf("version: 1\ncontrols:\n  - id: X\n    title: t\n    severity: low\n    scope: %q\n"+
			"    expression: %q\n    message: %q\n", scope, expression, "{"+expression+"}")
		config, err := audit.ReadConfig(strings.NewReader(text), false)
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Error("refused without a word")
			}
			return
		}
		strict, _ := audit.FindBenchmark(audit.Strict)
		a, err := audit.New(audit.Options{Benchmark: strict.With(config), Controls: []audit.ControlID{"X"},
			Statuses: audit.AllStatuses})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = a.Audit(t.Context(), strings.NewReader(string(report)),
			audit.Source{Generated: time.Unix(1_700_000_000, 0)}, nil, func(row *audit.Row) error {
				for i := range row.Findings {
					_ = row.Findings[i].Reason.String()
				}
				return nil
			})
		if took := time.Since(began); err != nil || took > 10*time.Second {
			t.Fatalf("%q took %s: %v", expression, took, err)
		}
	})
}

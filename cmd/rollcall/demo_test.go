package main

import (
	"bufio"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"rollcall/internal/fleet"
	"rollcall/report"
)

// TestDemo runs the demonstration as a newcomer does. It prints its text,
// continues to serve with the printed key, and ends normally on Ctrl-C.
func TestDemo(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out, w := io.Pipe()
	var stderr strings.Builder
	code := make(chan int, 1)
	go func() {
		p := &process{stdin: strings.NewReader(""), stdout: w, stderr: &stderr, env: func(string) string { return "" }}
		code <- run(ctx, p, []string{"demo"})
		w.Close()
	}()
	var text []string
	exported := map[string]string{}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		line := lines.Text()
		text = append(text, line)
		for _, word := range strings.Fields(strings.TrimPrefix(line, "  export ")) {
			if name, value, ok := strings.Cut(word, "="); ok && strings.HasPrefix(line, "  export ") {
				exported[name] = value
			}
		}
		if strings.HasPrefix(line, "The service runs until Ctrl-C.") {
			break
		}
	}
	if len(text) == 0 || !strings.HasPrefix(text[len(text)-1], "The service runs") {
		t.Fatalf("it ended early: %s\n%s", stderr.String(), strings.Join(text, "\n"))
	}
	account := fleet.New(aws.Config{
		Region: exported["AWS_REGION"],
		Credentials: credentials.NewStaticCredentialsProvider(exported["AWS_ACCESS_KEY_ID"],
			exported["AWS_SECRET_ACCESS_KEY"], ""),
	}, exported["AWS_ENDPOINT_URL"])
	got, err := account.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(text, "\n")+"\n", "\n"+string(got.Content)+"\n") {
		t.Error("what it serves is not what it printed")
	}
	checkDemoReport(t, got)
	const sentence = "User: arn:aws:iam::123456789012:user/people/Victor is not authorized to perform: iam:GetUser " +
		"on resource: user Olivia " +
		"because no identity-based policy allows the iam:GetUser action"
	if !strings.Contains(strings.Join(text, "\n"), sentence) {
		t.Errorf("a developer does not hear %q", sentence)
	}
	interrupt()
	if got := <-code; got != 0 || stderr.Len() > 0 {
		t.Errorf("exit code %d after Ctrl-C, said %q", got, stderr.String())
	}
}

const day = 24 * time.Hour

// checkDemoReport looks for every state that the API can produce.
func checkDemoReport(t *testing.T, got *fleet.Report) {
	t.Helper()
	rows, err := report.ReadAll(strings.NewReader(string(got.Content)))
	if err != nil {
		t.Fatal(err)
	}
	if !rows[0].IsRoot() || !rows[0].MFAActive.IsTrue() || !rows[0].Keys[0].LastUsed.IsPresent() {
		t.Errorf("root is %+v", rows[0])
	}
	now := got.Generated
	user := func(want func(*report.Row) bool) (found bool) {
		for i := range rows[1:] {
			found = found || want(&rows[i+1])
		}
		return found
	}
	older := func(at report.Time, d time.Duration) bool {
		v, ok := at.Value()
		return ok && now.Sub(v) > d
	}
	states := map[string]func(*report.Row) bool{
		"no credentials": func(r *report.Row) bool {
			return r.PasswordEnabled.IsFalse() && !r.Keys[0].Exists() && !r.Certificates[0].Exists()
		},
		"password without MFA": func(r *report.Row) bool { return r.PasswordEnabled.IsTrue() && r.MFAActive.IsFalse() },
		"password with MFA":    func(r *report.Row) bool { return r.PasswordEnabled.IsTrue() && r.MFAActive.IsTrue() },
		"password used now": func(r *report.Row) bool {
			return r.User == "Carol" && r.PasswordLastUsed.IsPresent() && !older(r.PasswordLastUsed, 2*time.Minute) &&
				r.MFAActive.IsTrue()
		},
		"password never used": func(r *report.Row) bool {
			return r.PasswordLastUsed.Absence() == report.NoInformation
		},
		"password overdue": func(r *report.Row) bool { return older(r.PasswordNextRotation, 0) },
		"password to expire": func(r *report.Row) bool {
			return r.PasswordNextRotation.IsPresent() && !older(r.PasswordNextRotation, 0)
		},
		"two keys":     func(r *report.Row) bool { return r.Keys[0].Active.IsTrue() && r.Keys[1].Active.IsTrue() },
		"inactive key": func(r *report.Row) bool { return r.Keys[0].Exists() && r.Keys[0].Active.IsFalse() },
		"key never used": func(r *report.Row) bool {
			return r.Keys[0].Active.IsTrue() && !r.Keys[0].LastUsed.IsPresent()
		},
		"key used today": func(r *report.Row) bool {
			return r.Keys[0].LastUsed.IsPresent() && !older(r.Keys[0].LastUsed, day) ||
				r.Keys[1].LastUsed.IsPresent() && !older(r.Keys[1].LastUsed, day)
		},
		"key used long ago": func(r *report.Row) bool { return older(r.Keys[0].LastUsed, 300*day) },
		"used in other regions": func(r *report.Row) bool {
			return r.Keys[0].LastUsedRegion == report.TextOf("us-west-2")
		},
		"inactive certificate": func(r *report.Row) bool {
			return r.Certificates[0].Exists() && r.Certificates[0].Active.IsFalse()
		},
		"active certificate":  func(r *report.Row) bool { return r.Certificates[1].Active.IsTrue() },
		"name with a comma":   func(r *report.Row) bool { return r.User == "a,b" },
		"name like a formula": func(r *report.Row) bool { return r.User == "=1+1" },
		"auditor who got it": func(r *report.Row) bool {
			return r.User == "Olivia" && r.Keys[0].LastUsedService == report.TextOf("iam") &&
				!older(r.Keys[0].LastUsed, time.Minute)
		},
		"user with a path": func(r *report.Row) bool { return r.Path() == "/people/" },
	}
	for name, want := range states {
		if !user(want) {
			t.Errorf("nobody is in the state %q", name)
		}
	}
}

package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/spf13/cobra"

	"rollcall/internal/hashing"
	"rollcall/internal/principal"
	"rollcall/internal/sigv4"
	"rollcall/internal/sigv4/sigv4test"
	"rollcall/internal/store"
)

// One user and one account have a limit unless the operator says otherwise.
// TestOverload of internal/e2e shows what such limits do.
func TestRatesByDefault(t *testing.T) {
	flags := serveCommand(&process{}).Flags()
	for name, want := range map[string]string{"rate-limit": "8000", "account-rate-limit": "8000"} {
		if got := flags.Lookup(name).DefValue; got != want {
			t.Errorf("--%s is %s by default, want %s", name, got, want)
		}
	}
	for _, c := range []struct {
		rate      float64
		set, want int
	}{{8000, 0, 240_000}, {8000, 10, 10}, {5, 0, 0}, {5, 3, 3}} {
		if got := burst(c.rate, c.set); got != c.want {
			t.Errorf("%v calls a second, %d above: got %d, want %d", c.rate, c.set, got, c.want)
		}
	}
}

// With the flags of a service that nobody has configured, a user and an account
// may make so many calls at once, are refused beyond that, and soon admitted
// again. The flood itself is in memory: TestOverload of internal/e2e sends one.
func TestFloodBeyondTheDefault(t *testing.T) {
	p := &process{stderr: io.Discard, env: func(string) string { return "" }}
	s := &serveRun{install: install{p: p}}
	c := &cobra.Command{}
	s.install.add(c)
	s.addFlags(c.Flags())
	if err := c.ParseFlags([]string{"--data", filepath.Join(t.TempDir(), "data"), "--trail", "off"}); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	s.passwords = hashing.New("", log)
	defer s.passwords.Close()
	svc, _, err := s.open(t.Context(), log, metrics.NewSet())
	if err != nil {
		t.Fatal(err)
	}
	defer svc.Close()

	began, admitted := time.Now(), 0
	ann := callerOf(t, "123456789012", "ann")
	for ; admitted < 10*usualBurst; admitted++ {
		if _, ok := svc.API.Admit(ann); !ok {
			break
		}
	}
	took := time.Since(began)
	if most := usualBurst + usualRate*(took.Seconds()+1); admitted < usualBurst || float64(admitted) > most {
		t.Errorf("%d calls of a user were admitted in %v", admitted, took)
	}
	if _, ok := svc.API.Admit(callerOf(t, "210987654321", "ann")); !ok {
		t.Error("another account is refused")
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if _, ok := svc.API.Admit(ann); ok {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the user is refused for a minute more")
		}
	}
	// The account has a limit of its own, which other users do not evade.
	bob := callerOf(t, "123456789012", "bob")
	began, admitted = time.Now(), 0
	for range 10 * usualRate {
		if _, ok := svc.API.Admit(bob); ok {
			admitted++
		}
	}
	if float64(admitted) > usualRate*(time.Since(began).Seconds()+1) {
		t.Errorf("%d calls of another user of the flooding account were admitted", admitted)
	}
}

// callerOf returns a user who has signed a call.
func callerOf(t *testing.T, account, name string) principal.Caller {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://iam.amazonaws.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	key := sigv4test.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE",
		SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	sigv4test.Sign(r, nil, key, "us-east-1", "iam", time.Now())
	user := store.User{Account: account, NameKey: name, Name: name}
	verifier := sigv4.Verifier[principal.Signer]{Services: []string{"iam"},
		Lookup: func(context.Context, string, string) ([]byte, principal.Signer, error) {
			return []byte(key.SecretAccessKey), principal.Signer{Owner: store.Owner{Partition: "aws", User: user}}, nil
		}}
	verified, err := verifier.Verify(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return principal.Signed(verified)
}

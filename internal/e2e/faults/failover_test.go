package faults

import (
	"testing"
	"time"

	"rollcall/internal/e2e/e2etest"
	"rollcall/internal/storetest"
)

// TestFailover freezes the primary of two PostgreSQL servers in the middle of
// changes and promotes its synchronous standby. Calls are refused only until
// shortly after the promotion, and no acknowledged change is lost.
func TestFailover(t *testing.T) {
	t.Parallel()
	first, err := storetest.StartServer(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { first.Stop() })
	second, err := first.StartStandby(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { second.Stop() })
	flags := []string{"--data", e2etest.DataDir(t), "--store", storetest.URLOfBoth(first, second, "postgres")}
	acc := e2etest.CreateAccount(t, flags...)
	node := e2etest.Serve(t, flags...)
	clients := e2etest.StartCreators(t, node, acc, "u")
	clients.WaitForOneEach(t, time.Unix(0, 0))

	if err := first.Freeze(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { first.Thaw() }) // it can stop only if it runs
	time.Sleep(2 * time.Second)        // calls are in progress and wait
	promoted := time.Now()
	if err := second.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	clients.WaitForOneEach(t, promoted)
	t.Logf("the first acknowledged change came %s after the promotion, one of each client after %s",
		clients.Earliest(promoted).Round(time.Millisecond), time.Since(promoted).Round(time.Millisecond))
	// If only clients gave up, the pause was 59 s. A slow machine is not that slow.
	if took := clients.Earliest(promoted); took > 10*time.Second {
		t.Errorf("the first acknowledged change came %s after the promotion", took)
	}
	clients.Stop()
	clients.Check(t, node, acc)
}

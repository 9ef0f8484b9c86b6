package main

import "testing"

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

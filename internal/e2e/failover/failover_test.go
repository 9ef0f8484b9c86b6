//go:build failover

package failover

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rollcall/internal/e2e/e2etest"
)

var rounds = flag.Int("failover-rounds", 2, "how often the primary is taken away in each way")

func TestMain(m *testing.M) { e2etest.Main(m) }

// writesWithin limits the time from a promotion to the first acknowledged change
// on each node.
const writesWithin = 3 * time.Second

// fault is a way to take the primary away.
type fault struct {
	name string
	// do returns when the old primary can certainly serve nobody any more.
	do func(c *cluster, primary, next *host)
	// undo brings the host back.
	undo func(c *cluster, primary *host)
	// serves says that the old primary may answer until another is promoted.
	serves bool
}

var faults = []fault{
	{name: "its host crashes",
		do:   func(_ *cluster, primary, _ *host) { primary.crash() },
		undo: func(c *cluster, primary *host) { c.start(primary) }},
	{name: "its network is cut",
		do:   func(c *cluster, primary, _ *host) { c.cut(primary) },
		undo: func(c *cluster, primary *host) { c.mend(primary) }},
	{name: "an operator switches over",
		do:     func(c *cluster, primary, next *host) { c.switchOver(primary, next) },
		undo:   func(*cluster, *host) {},
		serves: true},
	// The old primary does not learn that it is none any more.
	{name: "its Patroni hangs",
		do:     func(c *cluster, primary, _ *host) { c.signalPatroni(primary, syscall.SIGSTOP) },
		undo:   func(c *cluster, primary *host) { c.signalPatroni(primary, syscall.SIGCONT) },
		serves: true},
}

// TestFailover takes the primary of three synchronous servers away, in several
// ways, while clients of two nodes change users, use keys and revoke keys. No
// acknowledged change is lost, no revoked key signs, nothing is served from
// memory while there is no primary, and soon after a promotion each node accepts
// changes.
func TestFailover(t *testing.T) {
	c := newCluster(t)
	flags := []string{"--data", e2etest.DataDir(t), "--allow-plain-postgres", "--store", c.url("postgres")}
	acc := e2etest.CreateAccount(t, flags...)
	var nodes [2]*e2etest.Process
	var creators [2]*e2etest.Creators
	for i := range nodes {
		nodes[i] = e2etest.Serve(t, flags...)
		creators[i] = e2etest.StartCreators(t, nodes[i], acc, fmt.Sprintf("node%d-", i))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var others sync.WaitGroup
	defer others.Wait()
	defer cancel()
	reading := startReaders(ctx, e2etest.CreateKey(t, nodes[0], acc, "reader"), nodes, &others)
	revoking := startRevoker(ctx, t, acc, nodes, &others)
	o := observe(t, c)
	for round := range *rounds {
		for _, f := range faults {
			t.Logf("round %d: %s", round, f.name)
			runFault(t, c, f, o, creators, reading)
		}
	}
	for i := range creators {
		creators[i].Stop()
		acknowledged, refused := creators[i].Check(t, nodes[1-i], acc)
		t.Logf("node %d: %d changes acknowledged, all found; %d calls refused", i, acknowledged, refused)
	}
	t.Logf("%d keys were refused after their deactivation", revoking.revoked.Load())
	for _, node := range nodes {
		if said := node.Stderr.String(); strings.Contains(said, `"panic"`) {
			t.Error(said)
		}
	}
}

// runFault takes the primary away once, and brings it back.
func runFault(t *testing.T, c *cluster, f fault, o *observer, creators [2]*e2etest.Creators, reading *readers) {
	t.Helper()
	primary, next := c.waitHealthy()
	for _, load := range creators {
		load.WaitForOneEach(t, time.Now())
	}
	began := time.Now()
	f.do(c, primary, next)
	gone := time.Now()
	after, promoted := o.promotion(t, began)
	if f.serves {
		// The old primary may serve until it says that it is none. If it never
		// does, the revoker finds who still asks it.
		gone = o.oldGone(c, primary)
	}
	if !gone.IsZero() {
		n := reading.between(gone, after)
		t.Logf("there was no primary for %v, and %d reads were served", max(0, after.Sub(gone)).Round(time.Millisecond), n)
		if n > 0 {
			t.Errorf("%d reads were served while there was no primary", n)
		}
	}
	for i, load := range creators {
		load.WaitForOneEach(t, promoted)
		took := load.Earliest(promoted)
		t.Logf("node %d: promoted %v after the fault; first change acknowledged %v after that, one of each client %v",
			i, promoted.Sub(began).Round(time.Millisecond), took.Round(time.Millisecond),
			time.Since(promoted).Round(time.Millisecond))
		if took > writesWithin {
			t.Errorf("node %d: the first change was acknowledged %v after the promotion", i, took)
		}
	}
	f.undo(c, primary)
}

package service_test

import (
	"context"
	"crypto/tls"
	"flag"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"rollcall/internal/identity"
	"rollcall/internal/leavers"
	"rollcall/internal/server"
	"rollcall/internal/service"
	"rollcall/internal/sigv4/sigv4test"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// leaving is how many calls each way of leaving makes: over plain connections,
// over TLS, in process.
var leaving = flag.Int("leavers", 400, "make this many calls whose clients leave, for each engine and way")

// Clients leave at any moment of a call. Those who wait for an answer get it,
// also where they have closed their sending side. Afterwards the trail and the
// data agree, nothing is left over, and nobody was told of an internal error.
func TestClientsWhoLeave(t *testing.T) {
	// Not at the same time as others: what the process holds is counted.
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		cfg.Now = time.Now
		w := newWorld(t, service.Config{Store: cfg})
		key := w.newAccount(t, identity.AccountSpec{Limits: map[string]int{"UsersPerAccount": 1_000_000}})
		c := w.as(key.ID, key.Secret.Reveal())
		load := leavers.Load{
			Credentials: sigv4test.Credentials{AccessKeyID: key.ID, SecretAccessKey: key.Secret.Reveal()},
			Now:         w.cfg.Store.Now, Calls: 100,
		}
		ways := map[string]leavers.Load{"process": {Handler: w.Handler}, "plain": {Addr: strings.TrimPrefix(w.url, "http://")}}
		ways["tls"] = w.overTLS(t)
		run := func(name string, calls int) {
			l := load
			l.Addr, l.TLS, l.Handler = ways[name].Addr, ways[name].TLS, ways[name].Handler
			l.Name, l.Calls = "u-"+name+"-"+time.Now().Format("150405.000000"), calls
			result := l.Run(t.Context())
			if len(result.Faults) > 0 {
				t.Errorf("%s: %s", name, result)
			}
			t.Logf("%s: %s", name, result)
		}
		for name := range ways {
			run(name, 200) // connections are opened, and memory is taken
		}
		before := w.use(t)
		for name := range ways {
			run(name, *leaving)
		}
		w.checkTrail(t, c)
		after := w.use(t)
		t.Logf("before %+v, after %+v", before, after)
		if after.goroutines > before.goroutines+5 || after.files > before.files+5 {
			t.Errorf("before %+v, after %+v", before, after)
		}
		if said := w.log.String(); strings.Contains(said, `"level":"ERROR"`) {
			t.Errorf("the log: %.2000s", said)
		}
	})
}

// checkTrail holds the trail against the data.
func (w *world) checkTrail(t *testing.T, c clients) {
	t.Helper()
	fates, err := leavers.Read(strings.NewReader(w.trail.String()), "u-")
	if err != nil {
		t.Fatal(err)
	}
	agree, err := fates.Check(t.Context(), c.Client, "u-")
	if err != nil {
		t.Error(err)
	}
	t.Logf("%d changes recorded, %d facts agree", fates.Changes, agree)
}

// use is what a process holds.
type use struct{ goroutines, files int }

// use waits until it is clear what stays.
func (w *world) use(t *testing.T) (least use) {
	t.Helper()
	for i := range 40 {
		w.connections.CloseIdleConnections()
		time.Sleep(50 * time.Millisecond)
		files, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc on this system")
		}
		now := use{runtime.NumGoroutine(), len(files)}
		if i == 0 || now.goroutines < least.goroutines {
			least = now
		}
	}
	return least
}

// overTLS serves the world over TLS as well.
func (w *world) overTLS(t *testing.T) leavers.Load {
	t.Helper()
	pair, roots := selfSigned(t)
	l, err := server.Listen("127.0.0.1:0", pair, false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, l, w.Handler, w.cfg.Log, time.Minute) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return leavers.Load{Addr: l.Addr().String(), TLS: &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}}
}

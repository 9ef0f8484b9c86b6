package service_test

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/ncruces/go-sqlite3"

	"rollcall/internal/identity"
	"rollcall/internal/leavers"
	"rollcall/internal/server"
	"rollcall/internal/service"
	"rollcall/internal/sigv4/sigv4test"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
	"rollcall/internal/trail"
)

// leaving is the number of calls for each way of leaving: over plain
// connections, over TLS, in process.
var leaving = flag.Int("leavers", 250, "make this many calls whose clients leave, for each engine and way")

// Clients leave at any moment of a call. Those that wait for an answer get it,
// even if they have closed their sending side. Afterwards the trail and the
// data agree, nothing is left over, no connection to the database was lost, and
// no client got an internal error.
func TestClientsWhoLeave(t *testing.T) {
	// It does not run in parallel with others, because it counts the resources
	// of the process.
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		cfg.Now = time.Now
		file := filepath.Join(t.TempDir(), "trail.jsonl")
		records, err := trail.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, service.Config{Store: cfg, Trail: records})
		key := w.newAccount(t, identity.AccountSpec{Limits: map[string]int{"UsersPerAccount": 1_000_000}})
		c := w.as(key.ID, key.Secret.Reveal())
		ways := map[string]leavers.Load{
			"process": {Handler: w.Handler}, "plain": {Addr: strings.TrimPrefix(w.url, "http://")}, "tls": w.overTLS(t),
		}
		run := func(calls int) {
			for name, l := range ways {
				l.Credentials = sigv4test.Credentials{AccessKeyID: key.ID, SecretAccessKey: key.Secret.Reveal()}
				l.Name, l.Calls = "u-"+name+"-"+time.Now().Format("150405.000000"), calls
				result := l.Run(t.Context())
				if len(result.Faults) > 0 {
					t.Errorf("%s: %s", name, result)
				}
				t.Logf("%s: %s", name, result)
			}
		}
		run(100) // opens connections and allocates memory
		before, start := w.use(t, use{}), time.Now()
		run(*leaving)
		agree(t, file, c)
		after := w.use(t, before)
		t.Logf("before %+v, after %+v", before, after)
		if after.more(before) || cfg.Memory == false && after.heap > before.heap+32 {
			t.Errorf("before %+v, after %+v", before, after)
		}
		// Later the pool itself closes idle connections.
		if lost := missing(before.backends, after.backends); len(lost) > 0 && time.Since(start) < 4*time.Minute {
			t.Errorf("connections to the database that were lost: %d of %d", len(lost), len(before.backends))
		}
		noSnapshot(t, cfg)
		if said := w.log.String(); strings.Contains(said, `"level":"ERROR"`) {
			t.Errorf("the log: %.2000s", said)
		}
	})
}

// agree compares the trail with the data. The calls of clients that have left
// may still be in progress, so it waits until both agree.
func agree(t *testing.T, file string, c clients) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		said, err := compare(t, file, c)
		if err == nil {
			t.Log(said)
			return
		}
		if time.Now().After(end) {
			t.Error(err)
			return
		}
	}
}

func compare(t *testing.T, file string, c clients) (string, error) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fates, err := leavers.Read(f, "u-")
	if err != nil {
		return "", err
	}
	facts, err := fates.Check(t.Context(), c.Client, "u-")
	return fmt.Sprintf("%d changes recorded, %d facts agree", fates.Changes, facts), err
}

// use counts the resources of a process. The pool of connections to PostgreSQL
// may grow up to its limit, so those do not count as files.
type use struct {
	goroutines, files int
	heap              int   // MiB
	backends          []int // processes of PostgreSQL
}

// mostBackends are the processes of the pool, and one that watches the server.
const mostBackends = 16 + 1

// more says whether something remains that did not exist before.
func (u use) more(before use) bool {
	return u.goroutines > before.goroutines+5 || u.files > before.files+5 || len(u.backends) > mostBackends
}

// use waits until the numbers are stable: no higher than before, or unchanged
// for long enough.
func (w *world) use(t *testing.T, before use) (now use) {
	t.Helper()
	known := before.goroutines > 0
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		last := now
		w.connections.CloseIdleConnections()
		time.Sleep(200 * time.Millisecond)
		now = w.holds(t)
		if known && !now.more(before) || !known && last.goroutines > 0 && !now.more(last) && !last.more(now) {
			break
		}
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	now.heap = (int(m.HeapAlloc) - w.log.Cap()) >> 20
	return now
}

func (w *world) holds(t *testing.T) use {
	t.Helper()
	var pids []int
	if w.cfg.Store.URL != "" {
		pids = backends(t, w.cfg.Store.URL, "")
	}
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return use{goroutines: runtime.NumGoroutine(), files: len(files) - len(pids), backends: pids}
}

// backends returns the processes of PostgreSQL that serve the service.
func backends(t *testing.T, url, also string) []int {
	t.Helper()
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	rows, err := db.Query(t.Context(), `SELECT pid FROM pg_stat_activity
		WHERE datname = current_database() AND application_name LIKE 'rollcall/%' `+also)
	if err != nil {
		t.Fatal(err)
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		t.Fatal(err)
	}
	return pids
}

func missing(before, after []int) []int {
	return slices.DeleteFunc(slices.Clone(before), func(pid int) bool { return slices.Contains(after, pid) })
}

// noSnapshot checks that no connection is within a transaction, which would
// retain deleted data and SQLite's log.
func noSnapshot(t *testing.T, cfg store.Config) {
	t.Helper()
	switch {
	case cfg.URL != "":
		if held := backends(t, cfg.URL, "AND (backend_xmin IS NOT NULL OR state LIKE 'idle in transaction%')"); len(
			held) > 0 {
			t.Errorf("%d connections hold a snapshot", len(held))
		}
	case cfg.Path != "":
		db, err := sqlite3.Open("file:" + cfg.Path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := db.Exec("PRAGMA busy_timeout(2000); PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
			t.Fatal(err)
		}
		if log, err := os.Stat(cfg.Path + "-wal"); err != nil || log.Size() > 1<<20 {
			t.Errorf("the log is held: %v %v", log.Size(), err)
		}
	}
}

// overTLS also serves the world over TLS.
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

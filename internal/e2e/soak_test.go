package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/jackc/pgx/v5"

	"rollcall/internal/e2e/e2etest"
	"rollcall/internal/leavers"
	"rollcall/internal/sigv4/sigv4test"
)

// answerWithin is the maximum wait of a well-behaved caller, even on a slow
// machine.
const answerWithin = 30 * time.Second

// TestMisbehaviour runs every kind of misbehaviour at the same time as ordinary
// load, for some seconds or for -soak. Well-behaved callers see no error, and
// the memory, descriptors, disk and connections of the service do not grow.
func TestMisbehaviour(t *testing.T) {
	e2etest.EachStore(t, func(t *testing.T, flags []string) {
		lasts, users := 6*time.Second, 2000
		if *e2etest.Soak > 0 {
			lasts, users = *e2etest.Soak, 20_000
		}
		acc, another := e2etest.CreateAccount(t, flags...), e2etest.CreateAccount(t, flags...)
		e2etest.Seed(t, flags, acc, users)
		node := e2etest.Serve(t, append(flags, "--report-history", "3")...)
		e2etest.Report(t, node, acc)
		m := &measuring{t: t, node: node, flags: flags, every: min(lasts/40, 15*time.Second)}
		before := m.now()

		ctx, cancel := context.WithTimeout(t.Context(), lasts)
		defer cancel()
		h := &honest{t: t, node: node, acc: acc}
		h.workOnce(ctx, node.IAM(acc.Root()), "before")
		var working sync.WaitGroup
		for i := range 4 {
			working.Go(func() { h.work(ctx, i) })
		}
		working.Go(func() { leave(ctx, t, node, another, h.pace) })
		kinds, wait := misbehave(ctx, t, node, acc.Root(), h.pace)
		m.watch(ctx)
		working.Wait()
		wait()
		t.Logf("%s\n%s%s%s", lasts, h, kinds(), m)
		m.check(before)
		h.workOnce(t.Context(), node.IAM(acc.Root()), "afterwards")
		checkFates(t, node, flags[1], another)
		m.checkAfterwards(before)
		if strings.Contains(node.Stderr.String(), `"level":"ERROR"`) {
			t.Errorf("the service logs errors:\n%s", e2etest.Tail(node.Stderr.String(), 4000))
		}
		node.Stop()
		e2etest.CheckFile(t, flags)
	})
}

// leave makes clients leave at any moment of changes. Each change is requested
// once, so that the trail can be compared with the data.
func leave(ctx context.Context, t *testing.T, node *e2etest.Process, acc e2etest.Account, pace func() time.Duration) {
	var all leavers.Result
	for i := 0; ctx.Err() == nil; i++ {
		l := leavers.Load{
			Addr: strings.TrimPrefix(node.URL, "http://"), Name: fmt.Sprintf("leaver-%d", i), Clients: 2, Calls: 50,
			Credentials: sigv4test.Credentials{AccessKeyID: acc.AccessKeyID, SecretAccessKey: acc.SecretAccessKey},
		}
		r := l.Run(ctx)
		if len(r.Faults) > 0 {
			t.Error(r)
		}
		all.Calls, all.Answered, all.Left = all.Calls+r.Calls, all.Answered+r.Answered, all.Left+r.Left
		select {
		case <-ctx.Done():
		case <-time.After(time.Second + 50*pace()):
		}
	}
	t.Logf("leavers: %s", all)
}

// checkFates compares the data that the leavers changed with the trail.
func checkFates(t *testing.T, node *e2etest.Process, data string, acc e2etest.Account) {
	t.Helper()
	trail, err := os.Open(filepath.Join(data, "trail.jsonl"))
	e2etest.Must(t, err)
	defer trail.Close()
	fates, err := leavers.Read(trail, "leaver-")
	e2etest.Must(t, err)
	agree, err := fates.Check(t.Context(), node.IAM(acc.Root()), "leaver-")
	e2etest.Must(t, err)
	t.Logf("%d changes recorded, %d facts agree with them", fates.Changes, agree)
}

// honest counts the calls of well-behaved callers.
type honest struct {
	t      *testing.T
	node   *e2etest.Process
	acc    e2etest.Account
	calls  atomic.Int64
	errors atomic.Int64
	mu     sync.Mutex
	slow   time.Duration // the longest time to an answer
	usual  time.Duration // the recent time to an answer
	last   time.Time     // when the last answer came
}

// pace returns the recent time to an answer, or the time since the last one. A
// misbehaving caller waits for a multiple of it between its turns, so that it
// does not overload a slow machine.
func (h *honest) pace() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return max(h.usual, time.Since(h.last))
}

func (h *honest) String() string {
	return fmt.Sprintf("%10d calls of those who behave, %d errors, the slowest took %v\n", h.calls.Load(),
		h.errors.Load(), h.slow.Round(time.Millisecond))
}

// work sends calls at the pace of a busy program.
func (h *honest) work(ctx context.Context, i int) {
	client := h.node.IAM(h.acc.Root())
	for round := 0; ctx.Err() == nil; round++ {
		h.workOnce(ctx, client, fmt.Sprintf("honest-%d-%d", i, round))
	}
}

// workOnce runs the life of one user, and reads the whole account.
func (h *honest) workOnce(ctx context.Context, client *iam.Client, name string) {
	var k e2etest.Key
	for _, call := range []func(context.Context) error{
		func(ctx context.Context) error {
			_, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: &name})
			return err
		},
		func(ctx context.Context) error {
			out, err := client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
			if err == nil {
				k = e2etest.Key{ID: *out.AccessKey.AccessKeyId, Secret: *out.AccessKey.SecretAccessKey}
			}
			return err
		},
		func(ctx context.Context) error { return e2etest.Signs(ctx, h.node.URL, k, e2etest.SharedClient) },
		func(ctx context.Context) error {
			_, err := client.ListUsers(ctx, &iam.ListUsersInput{MaxItems: aws.Int32(100)})
			return err
		},
		func(ctx context.Context) error {
			_, err := client.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{})
			return err
		},
		func(ctx context.Context) error {
			_, err := client.GetCredentialReport(ctx, &iam.GetCredentialReportInput{})
			if e2etest.CodeOf(err) == "ReportInProgress" {
				return nil
			}
			return err
		},
		func(ctx context.Context) error {
			_, err := client.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &name, AccessKeyId: &k.ID})
			return err
		},
		func(ctx context.Context) error {
			_, err := client.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name})
			return err
		},
	} {
		// Well-behaved callers finish their calls.
		if !h.call(context.WithoutCancel(ctx), call) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (h *honest) call(ctx context.Context, call func(context.Context) error) bool {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	began := time.Now()
	err := call(ctx)
	took := time.Since(began)
	h.calls.Add(1)
	h.mu.Lock()
	h.slow, h.usual, h.last = max(h.slow, took), (7*h.usual+took)/8, time.Now()
	h.mu.Unlock()
	if err != nil && h.errors.Add(1) <= 10 {
		h.t.Errorf("one who behaves: %v", err)
	}
	return err == nil
}

// held holds the resources of the service at one moment.
type held struct {
	resident, descriptors, trail, wal, database int64
	// connections are those to PostgreSQL. sessions counts all that were ever
	// opened.
	connections, sessions int64
}

// measuring watches a service.
type measuring struct {
	t     *testing.T
	node  *e2etest.Process
	flags []string
	every time.Duration
	lasts time.Duration // 0: until the context ends
	all   []held
	began time.Time
	took  time.Duration
}

// fewest is the number of measurements that can be compared.
const fewest = 8

// watch measures until the context ends, or for m.lasts and until there are enough
// measurements. The service must be ready throughout.
func (m *measuring) watch(ctx context.Context) {
	m.began = time.Now()
	tick := time.NewTicker(m.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			m.took = time.Since(m.began)
			return
		case <-tick.C:
			// If the machine stops for seconds, a short run does not fail.
			if status, text := e2etest.Get(m.t, m.node.Admin+"/readyz"); status != 200 && *e2etest.Soak > 0 {
				m.t.Errorf("not ready after %v: %s", time.Since(m.began), text)
			}
			m.all = append(m.all, m.now())
			if n := len(m.all); n%4 == 0 && *e2etest.Soak > 0 {
				m.t.Logf("after %v: %+v", time.Since(m.began).Round(time.Second), m.all[n-1])
			}
			if m.took = time.Since(m.began); m.lasts > 0 && m.took >= m.lasts && len(m.all) >= fewest {
				return
			}
		}
	}
}

func (m *measuring) now() (h held) {
	m.t.Helper()
	proc := fmt.Sprintf("/proc/%d/", m.node.Cmd.Process.Pid)
	status, err := os.ReadFile(proc + "status")
	e2etest.Must(m.t, err)
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	fmt.Sscan(rest, &h.resident)
	h.resident <<= 10
	fds, err := os.ReadDir(proc + "fd")
	e2etest.Must(m.t, err)
	h.descriptors = int64(len(fds))
	h.trail = size(filepath.Join(m.flags[1], "trail.jsonl"))
	if len(m.flags) == 2 {
		h.wal, h.database = size(filepath.Join(m.flags[1], "rollcall.db-wal")),
			size(filepath.Join(m.flags[1], "rollcall.db"))
		return h
	}
	c, err := pgx.Connect(context.Background(), m.flags[3])
	e2etest.Must(m.t, err)
	defer c.Close(context.Background())
	e2etest.Must(m.t, c.QueryRow(context.Background(), `SELECT pg_database_size(datname), numbackends, sessions
		FROM pg_stat_database WHERE datname = current_database()`).Scan(&h.database, &h.connections, &h.sessions))
	h.sessions -= int64(len(m.all)) // those of this function
	return h
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// most returns the largest value of a measurement in a part of the time.
func most(all []held, of func(held) int64) (n int64) {
	for _, h := range all {
		n = max(n, of(h))
	}
	return n
}

// columns are the measurements, with the growth that each may have from the
// second quarter of the time, when the service has warmed up, to the last one.
var columns = []struct {
	name  string
	of    func(held) int64
	slack int64
}{
	{"resident bytes", func(h held) int64 { return h.resident }, 64 << 20},
	{"descriptors", func(h held) int64 { return h.descriptors }, 40},
	{"bytes of write-ahead log", func(h held) int64 { return h.wal }, 32 << 20},
	{"bytes of database", func(h held) int64 { return h.database }, 64 << 20},
	{"connections to PostgreSQL", func(h held) int64 { return h.connections }, 8},
	{"connections to PostgreSQL ever opened", func(h held) int64 { return h.sessions }, 40},
}

func (m *measuring) String() string {
	var b strings.Builder
	for _, c := range columns {
		least := slices.MinFunc(m.all, func(a, b held) int { return int(c.of(a) - c.of(b)) })
		quarter := len(m.all) / 4
		fmt.Fprintf(&b, "%s: %d to %d; at most %d in the second quarter, %d in the last\n", c.name, c.of(least),
			most(m.all, c.of),
			most(m.all[quarter:2*quarter], c.of), most(m.all[3*quarter:], c.of))
	}
	fmt.Fprintf(&b, "trail: %d bytes a second\n", m.trailRate())
	return b.String()
}

// trailRate returns how fast the trail has grown.
func (m *measuring) trailRate() int64 {
	first, last := m.all[0], m.all[len(m.all)-1]
	return int64(float64(last.trail-first.trail) / (m.every * time.Duration(len(m.all)-1)).Seconds())
}

// mostHeld limits the memory in bytes, whatever the load.
const mostHeld = 300 << 20

// check compares the resources of the service under load with the limits.
func (m *measuring) check(before held) {
	m.t.Helper()
	quarter := len(m.all) / 4
	for _, c := range columns {
		early, late := most(m.all[quarter:2*quarter], c.of), most(m.all[3*quarter:], c.of)
		if late > early+early/4+c.slack {
			m.t.Errorf("%s: %d before, %d in the second quarter of the time, %d in the last", c.name, c.of(before),
				early, late)
		}
	}
	if got := most(m.all, func(h held) int64 { return h.resident }); got > mostHeld && !e2etest.RaceEnabled {
		m.t.Errorf("%d bytes resident, want at most %d", got, mostHeld)
	}
	// Unauthenticated callers may write 1 MB per second. The others leave 100
	// to 300 calls.
	if rate := m.trailRate(); rate > 1_500_000 {
		m.t.Errorf("the trail grew by %d bytes a second", rate)
	}
}

// checkAfterwards waits until the service has released the resources of callers
// that have left.
func (m *measuring) checkAfterwards(before held) {
	m.t.Helper()
	e2etest.WaitFor(m.t, "let go of those who left", func() error {
		if after := m.now(); after.descriptors > before.descriptors+40 {
			return fmt.Errorf("%d descriptors, %d before", after.descriptors, before.descriptors)
		}
		return nil
	})
}

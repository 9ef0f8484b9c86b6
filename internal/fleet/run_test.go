package fleet

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/fleet/fleettest"
	"rollcall/internal/history"
	"rollcall/rollcalltest"
)

// TestMain sets a proxy that refuses everything, so these tests reach no other
// host. Go uses no proxy for loopback addresses.
func TestMain(m *testing.M) {
	flag.Parse()
	proxy, end := fleettest.RefuseAll()
	os.Setenv("HTTP_PROXY", proxy)
	os.Setenv("HTTPS_PROXY", proxy)
	os.Setenv("NO_PROXY", "")
	code := m.Run()
	if dialled := end(); len(dialled) > 0 {
		fmt.Println("FAIL: tried to reach the world:", dialled)
		code = 1
	}
	os.Exit(code)
}

const root = "100000000000"

func member(i int) string { return fmt.Sprintf("%d", 100000000000+i) }

// signIn returns a caller of an organization's management account.
func signIn(t *testing.T, o *fleettest.Organization) (*Caller, Identity) {
	t.Helper()
	awsEnvironment(t, "", "AWS_ACCESS_KEY_ID", o.Caller.ID, "AWS_SECRET_ACCESS_KEY", o.Caller.Secret,
		"AWS_ENDPOINT_URL", o.URL)
	c, err := SignIn(t.Context(), Settings{})
	if err != nil {
		t.Fatal(err)
	}
	id, err := c.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c, id
}

// targetsOf returns the targets that the caller's organization lists.
func targetsOf(t *testing.T, o *fleettest.Organization, externalID string) []Target {
	t.Helper()
	c, id := signIn(t, o)
	org, err := c.Organization(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if org.ID != fleettest.ID || org.Management != root {
		t.Fatalf("%+v", org)
	}
	return c.Targets(id, org.Members, Roles{Name: fleettest.Role, ExternalID: externalID})
}

func newHistory(t *testing.T) *history.Folder {
	t.Helper()
	f, err := history.Create(filepath.Join(t.TempDir(), "reports"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// expectation is an account with its fault and the expected outcome.
type expectation struct {
	name    string
	fault   fleettest.Fault
	want    history.Status
	message string // part of the message
}

var everyFault = []expectation{
	{name: "good", want: history.OK},
	{"suspended", fleettest.Fault{State: "SUSPENDED"}, history.Suspended, ""},
	{"closing", fleettest.Fault{State: "PENDING_CLOSURE"}, history.Closing, ""},
	{"closed", fleettest.Fault{State: "CLOSED"}, history.Closed, ""},
	{"pending", fleettest.Fault{State: "PENDING_ACTIVATION"}, history.Pending, ""},
	{"no role", fleettest.Fault{NoRole: true}, history.Denied,
		"An error occurred (AccessDenied) when calling the AssumeRole operation: User: " +
			"arn:aws:iam::100000000000:user/auditor is not authorized to perform: sts:AssumeRole on resource: " +
			"arn:aws:iam::"},
	{"forbidden", fleettest.Fault{Forbid: true}, history.Denied, "with an explicit deny in a service control policy"},
	{"throttled", fleettest.Fault{Throttled: 1}, history.OK, ""},
	{"throttled forever", fleettest.Fault{Throttled: -1}, history.Throttled, "Rate exceeded"},
	{"no capacity", fleettest.Fault{NoCapacity: 1}, history.OK, ""},
	{"no capacity forever", fleettest.Fault{NoCapacity: -1}, history.Throttled, "No more capacity"},
	{"in progress", fleettest.Fault{InProgress: 2}, history.OK, ""},
	{"in progress forever", fleettest.Fault{InProgress: -1}, history.Timeout, "s): a report is being generated"},
	{"slow", fleettest.Fault{Slow: 300 * time.Millisecond}, history.OK, ""},
	{"failing", fleettest.Fault{Failing: 1}, history.OK, ""},
	{"dropped", fleettest.Fault{Dropped: 1}, history.OK, ""},
	{"old", fleettest.Fault{OldReport: 5 * time.Hour}, history.Stale, "the service generates no newer one"},
	{"another's", fleettest.Fault{OtherReport: "999999999999"}, history.Failed,
		`the service's report is of account "999999999999"`},
	{"no report", fleettest.Fault{NoReport: true}, history.Failed, "this is not a credential report"},
}

// organization returns a number of accounts. Every n-th has a fault, and the
// faults take turns.
func organization(accounts, nth int, faults []expectation) []fleettest.Account {
	all := []fleettest.Account{{ID: root, Name: "management"}}
	for i := 1; i < accounts; i++ {
		e := faults[0]
		if i%nth == 0 {
			e = faults[i/nth%len(faults)]
		}
		all = append(all, fleettest.Account{ID: member(i), Name: e.name, Fault: e.fault})
	}
	return all
}

// checkRun compares the outcomes of an organization's run, and the content of
// the folder, with the expected ones.
func checkRun(t *testing.T, folder *history.Folder, faults []expectation, got []history.Outcome) {
	t.Helper()
	byName := map[string]expectation{"management": {want: history.OK}}
	for _, e := range faults {
		byName[e.name] = e
	}
	for _, o := range got {
		want := byName[o.Name]
		if o.Status != want.want || !strings.Contains(o.Message, want.message) ||
			want.message == "" && o.Message != "" {
			t.Errorf("%s %s: %s %q, want %s %q", o.Account, o.Name, o.Status, o.Message, want.want, want.message)
		}
		if saved, err := folder.Outcome(o.Account); err != nil || saved.Status != o.Status ||
			saved.Message != o.Message {
			t.Errorf("%s: in the folder: %+v, %v", o.Account, saved, err)
		}
		s, err := folder.Newest(o.Account, time.Time{})
		if !o.Status.HasReport() {
			if !errors.Is(err, history.ErrNone) {
				t.Errorf("%s: %+v, %v", o.Account, s, err)
			}
			continue
		}
		if err == nil {
			_, err = s.Read()
		}
		if err != nil || !s.Verifiable() || history.Name(s.GeneratedAt) != history.Name(o.GeneratedAt) ||
			s.Partition != o.Partition || s.Endpoint == "" {
			t.Errorf("%s: %+v, %v", o.Account, s, err)
		}
	}
}

var soak = flag.Int("accounts", 0,
	"run against an organization of so many accounts, of 500 users each, with a fault in every twentieth")

func TestRunOfAnOrganization(t *testing.T) {
	size, users, nth, timeout := 60, 0, 1, 15*time.Second
	if *soak > 0 {
		size, users, nth, timeout = *soak, 500, 20, 90*time.Second
	}
	o := fleettest.New(t,
		fleettest.Config{Accounts: organization(size, nth, everyFault), Users: users, ExternalID: "audit-7"})
	targets := targetsOf(t, o, "audit-7")
	o.Calls()
	folder := newHistory(t)
	var mu sync.Mutex
	done := map[int]history.Outcome{}
	start := time.Now()
	got, err := Run{Folder: folder, MaxAge: time.Hour, Timeout: timeout, Done: func(i int, o history.Outcome) {
		mu.Lock()
		defer mu.Unlock()
		if _, twice := done[i]; twice {
			t.Errorf("target %d was done twice", i)
		}
		done[i] = o
	}}.Fetch(t.Context(), targets)
	if err != nil {
		t.Fatal(err)
	}
	took, calls := time.Since(start), o.Calls()
	t.Logf("%d accounts in %s, %d calls, %.1f MB: %v", size, took.Round(time.Second/10), len(calls),
		megabytes(t, folder), count(got))
	checkRun(t, folder, everyFault, got)
	checkPhases(t, calls)
	// The run may take as long as asking all accounts once plus the slowest
	// account, with time to spare for a busy machine. One after the other, they
	// would take minutes.
	if most := 2 * (time.Duration(size)*time.Second/asksPerSecond + timeout + time.Second); took > most {
		t.Errorf("took %s, want at most %s", took, most)
	}
	if len(got) != size || len(done) != size || got[0].Name != "management" {
		t.Errorf("%d outcomes, %d told", len(got), len(done))
	}
	if b := o.Breaches(); len(b) > 0 {
		t.Errorf("%q", b)
	}

	// The next run asks only the accounts without a recent report.
	for i := range size {
		o.SetFault(member(i), fleettest.Fault{})
	}
	again, err := Run{Folder: folder, MaxAge: time.Hour}.Fetch(t.Context(), targets)
	if err != nil {
		t.Fatal(err)
	}
	called := map[string]bool{}
	for _, c := range o.Calls() {
		called[c.Account] = true
	}
	for i, was := range got {
		want := history.Cached
		switch {
		case was.Status.Inactive():
			want = was.Status
		case was.Status.Incomplete(), was.Status == history.Stale:
			want = history.OK
		}
		if now := again[i]; now.Status != want || called[was.Account] != (want == history.OK) {
			t.Errorf("%s was %s, then %+v, called: %v", was.Account, was.Status, now, called[was.Account])
		}
	}
}

// megabytes returns the size of the newest reports.
func megabytes(t *testing.T, folder *history.Folder) (sum float64) {
	t.Helper()
	state, err := folder.State(time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range state {
		if a.Snapshot != nil {
			content, err := a.Snapshot.Read()
			if err != nil {
				t.Fatal(err)
			}
			sum += float64(len(content)) / 1e6
		}
	}
	return sum
}

// checkPhases checks that every account was asked for its report before any was
// checked again. The first calls in the slots may come in any order.
func checkPhases(t *testing.T, calls []fleettest.Call) {
	t.Helper()
	var firsts []int
	looked := map[string]int{}
	for i, c := range calls {
		if looked[c.Account] == 0 {
			firsts = append(firsts, i)
		}
		looked[c.Account]++
	}
	last := firsts[len(firsts)-1-DefaultConcurrency]
	clear(looked)
	for i, c := range calls[:last] {
		if c.Action == getting {
			if looked[c.Account]++; looked[c.Account] > 1 {
				t.Errorf("call %d looks for the report of %s again, and call %d is the first of an account", i,
					c.Account, last)
			}
		}
	}
}

func TestRunInterrupted(t *testing.T) {
	hang := []expectation{{name: "good", want: history.OK},
		{"hangs", fleettest.Fault{InProgress: -1}, history.Unfinished, ""}}
	o := fleettest.New(t, fleettest.Config{Accounts: organization(12, 1, hang)})
	targets := targetsOf(t, o, "")
	folder := newHistory(t)
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	n := 0
	got, err := Run{Folder: folder, Resume: true, Done: func(int, history.Outcome) {
		mu.Lock()
		defer mu.Unlock()
		if n++; n == 6 { // all good ones
			cancel()
		}
	}}.Fetch(ctx, targets)
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	checkRun(t, folder, hang, got)
	missing, err := folder.Missing()
	if err != nil || len(missing) != 6 || missing[0].Status != history.Unfinished {
		t.Errorf("%+v, %v", missing, err)
	}
	// The same call resumes it.
	for i := range 12 {
		o.SetFault(member(i), fleettest.Fault{})
	}
	o.Calls()
	again, err := Run{Folder: folder, Resume: true}.Fetch(t.Context(), targets)
	if err != nil {
		t.Fatal(err)
	}
	if n := asked(o); n != 6 {
		t.Errorf("%d accounts were asked, want the 6 that had not come", n)
	}
	want := map[history.Status]int{history.OK: 6, history.Cached: 6}
	if d := cmp.Diff(want, count(again)); d != "" {
		t.Error(d)
	}
	// A completed run starts again.
	if _, err := (Run{Folder: folder, Resume: true}).Fetch(t.Context(), targets); err != nil || asked(o) != 12 {
		t.Errorf("the run after that did not ask everybody: %v", err)
	}
}

// asked returns how many accounts were asked for reports since the last call.
func asked(o *fleettest.Organization) int {
	accounts := map[string]bool{}
	for _, c := range o.Calls() {
		if c.Action == getting {
			accounts[c.Account] = true
		}
	}
	return len(accounts)
}

func count(all []history.Outcome) map[history.Status]int {
	n := map[history.Status]int{}
	for _, o := range all {
		n[o.Status]++
	}
	return n
}

func TestRunEndsWhereTheFolderCannotBeWritten(t *testing.T) {
	o := fleettest.New(t, fleettest.Config{Accounts: organization(3, 1, everyFault[:1])})
	targets := targetsOf(t, o, "")
	folder := newHistory(t)
	if err := os.WriteFile(filepath.Join(folder.Dir(), member(1)), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o.Calls()
	if _, err := (Run{Folder: folder, MaxAge: time.Hour}).Fetch(t.Context(), targets); err == nil ||
		!strings.Contains(err.Error(), member(1)) {
		t.Error(err)
	}
	if calls := o.Calls(); len(calls) > 0 {
		t.Errorf("asked all the same: %v", calls)
	}
}

func TestRunTrustsTheFolder(t *testing.T) {
	o := fleettest.New(t, fleettest.Config{Accounts: organization(2, 1, everyFault[:1])})
	target := targetsOf(t, o, "")[1]
	content := []byte("user,arn\n<root_account>,arn:aws:iam::" + target.Account + ":root")
	now := time.Now().Truncate(time.Second)
	good := history.Meta{Account: target.Account, Partition: "aws", Endpoint: o.URL,
		GeneratedAt: now.Add(-time.Minute), FetchedAt: now}
	tests := []struct {
		name   string
		change func(*history.Meta)
		maxAge time.Duration
		damage bool
		want   history.Status
	}{
		{"young enough", func(*history.Meta) {}, time.Hour, false, history.Cached},
		{"not where it is damaged", func(*history.Meta) {}, time.Hour, true, history.OK},
		{"not where it is too old", func(*history.Meta) {}, 30 * time.Second, false, history.OK},
		{"not where a new one is wanted", func(*history.Meta) {}, 0, false, history.OK},
		{"not where it is of another service", func(m *history.Meta) { m.Endpoint = "" }, time.Hour, false, history.OK},
		{"not where it is of another partition", func(m *history.Meta) { m.Partition = "aws-cn" },
			time.Hour, false, history.OK},
		{"not where it is from the future", func(m *history.Meta) { m.GeneratedAt = now.Add(time.Hour) },
			time.Hour, false, history.OK},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			folder := newHistory(t)
			m := good
			test.change(&m)
			s, err := folder.Save(m, content)
			if err != nil {
				t.Fatal(err)
			}
			if test.damage {
				os.WriteFile(s.Path, []byte("x"), 0o600)
			}
			o.Calls()
			got, err := Run{Folder: folder, MaxAge: test.maxAge}.Fetch(t.Context(), []Target{target})
			if err != nil {
				t.Fatal(err)
			}
			asked := len(o.Calls()) > 0
			status := got[0].Status
			if status == history.Cached && asked {
				status = history.OK // the service's own report, from the previous run
			}
			if status != test.want {
				t.Errorf("%+v, asked: %v", got[0], asked)
			}
		})
	}
}

func TestRunInOtherPartitions(t *testing.T) {
	for _, partition := range []string{"aws-cn", "aws-us-gov"} {
		t.Run(partition, func(t *testing.T) {
			o := fleettest.New(t, fleettest.Config{Accounts: organization(3, 1, everyFault[:1]), Partition: partition})
			folder := newHistory(t)
			got, err := Run{Folder: folder, MaxAge: time.Hour}.Fetch(t.Context(), targetsOf(t, o, ""))
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range got {
				s, err := folder.Newest(o.Account, time.Time{})
				if err != nil || o.Status != history.OK || s.Partition != partition {
					t.Errorf("%+v, %+v, %v", o, s, err)
				}
			}
		})
	}
}

// The session can only get reports, whatever else the role may do.
func TestSessionsCanGetReportsOnly(t *testing.T) {
	o := fleettest.New(t, fleettest.Config{Accounts: organization(2, 1, everyFault[:1])})
	account, err := targetsOf(t, o, "")[1].Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := account.Request(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := account.iam.ListUsers(t.Context(), nil); !denied(err) {
		t.Errorf("listed users: %v", err)
	}
}

func TestRecordLeft(t *testing.T) {
	o := fleettest.New(t, fleettest.Config{Accounts: organization(4, 1, everyFault[:1])})
	c, id := signIn(t, o)
	folder := newHistory(t)
	list := func() Organization {
		org, err := c.Organization(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return org
	}
	if _, err := (Run{Folder: folder, MaxAge: time.Hour}).Fetch(t.Context(),
		c.Targets(id, list().Members, Roles{Name: fleettest.Role})); err != nil {
		t.Fatal(err)
	}
	// One account of another organization, and one that has no organization.
	for i, of := range []string{"o-another", ""} {
		if err := folder.SetOutcome(
			history.Outcome{Account: member(100 + i), Organization: of, Status: history.OK}); err != nil {
			t.Fatal(err)
		}
	}
	o.Remove(member(2))
	for range 2 { // the second time it is already recorded
		if _, err := list().RecordLeft(folder); err != nil {
			t.Fatal(err)
		}
	}
	var left []string
	missing, err := folder.Missing()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range missing {
		left = append(left, o.Account+" "+string(o.Status))
	}
	if !slices.Equal(left, []string{member(2) + " left"}) {
		t.Error(left)
	}
}

// A machine with a wrong clock still gets its reports: calls are signed again
// with the service's clock.
func TestRunWithAWrongClock(t *testing.T) {
	server := rollcalltest.New(t, rollcalltest.Options{Now: func() time.Time { return time.Now().Add(3 * time.Hour) }})
	awsEnvironment(t, "", "AWS_ACCESS_KEY_ID", server.AccessKeyID, "AWS_SECRET_ACCESS_KEY", server.SecretAccessKey)
	c, err := SignIn(t.Context(), Settings{Endpoint: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	id, err := c.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := Run{Folder: newHistory(t), MaxAge: time.Hour}.Fetch(t.Context(), []Target{c.Own(id, "")})
	if err != nil || got[0].Status != history.OK {
		t.Errorf("%+v, %v", got, err)
	}
}

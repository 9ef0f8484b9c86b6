package fleet

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"rollcall/internal/enrich"
	"rollcall/internal/fleet/fleettest"
	"rollcall/internal/history"
)

// moreOf reads kinds of facts into a folder, as 'rollcall report' does.
func moreOf(folder *history.Folder, kinds ...enrich.Kind) *More {
	return &More{
		Read: func(ctx context.Context, s history.Snapshot, open func(context.Context) (*iam.Client, error),
			tell func(string)) (string, error) {
			return enrich.Reading{Kinds: kinds, Explain: Explain}.Into(ctx, folder, s, open, nil)
		},
		Has: func(s history.Snapshot) bool {
			var saved enrich.Saved
			return s.ReadFacts(&saved) == nil && saved.Has(kinds)
		},
	}
}

// enriched starts an organization whose roles allow reading facts, with a number of
// users in each account.
func enriched(t *testing.T, accounts []fleettest.Account, users int) (*fleettest.Organization, []Target) {
	t.Helper()
	o := fleettest.New(t, fleettest.Config{Accounts: accounts, Users: users})
	c, id := signIn(t, o)
	org, err := c.Organization(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o.Calls()
	return o, c.Targets(id, org.Members,
		Roles{Name: fleettest.Role, Actions: enrich.Permissions([]enrich.Kind{enrich.Keys, enrich.MFA})})
}

// factsIn returns the number of users of an account whose keys are known.
func factsIn(t *testing.T, folder *history.Folder, account string) (n int) {
	t.Helper()
	s, err := folder.Newest(account, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var saved enrich.Saved
	if err := s.ReadFacts(&saved); err != nil {
		t.Fatalf("%s: %v", account, err)
	}
	for _, u := range saved.Facts.Users {
		if u.Keys != nil {
			n++
		}
	}
	return n
}

// factsExpectation is an account with a fault of its facts and the expected outcome.
type factsExpectation struct {
	name       string
	fault      fleettest.Fault
	users      int // whose keys are known
	noFacts    string
	unfinished bool
}

var factsFaults = []factsExpectation{
	{"good", fleettest.Fault{}, 10, "", false},
	{"denied", fleettest.Fault{FactsDenied: "ListAccessKeys"}, 0,
		"keys: An error occurred (AccessDenied) when calling the ListAccessKeys operation", false},
	{"all denied", fleettest.Fault{FactsDenied: "ListUsers"}, 0, "calling the ListUsers operation", false},
	{"slow report", fleettest.Fault{InProgress: 2}, 10, "", false},
	// The users are listed, and the calls for three of them are answered.
	{"stops", fleettest.Fault{FactsStop: 5}, 3, "keys: 7 of 10 users: the time was over after 15s", true},
}

func organizationOf(faults []factsExpectation) (all []fleettest.Account) {
	all = []fleettest.Account{{ID: root, Name: "good"}}
	for i, e := range faults {
		all = append(all, fleettest.Account{ID: member(i + 1), Name: e.name, Fault: e.fault})
	}
	return all
}

// TestMoreOfAnOrganization reads facts of accounts with every fault. All reports come
// before the first call for facts.
func TestMoreOfAnOrganization(t *testing.T) {
	o, targets := enriched(t, organizationOf(factsFaults), 10)
	folder := newHistory(t)
	more := moreOf(folder, enrich.Keys)
	got, err := Run{Folder: folder, Timeout: 15 * time.Second, More: more}.Fetch(t.Context(), targets)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]factsExpectation{}
	for _, e := range factsFaults {
		want[e.name] = e
	}
	for _, o := range got {
		e := want[o.Name]
		if o.Status != history.OK || !strings.Contains(o.NoFacts, e.noFacts) || e.noFacts == "" && o.NoFacts != "" ||
			o.FactsUnfinished != e.unfinished {
			t.Errorf("%s: %+v", o.Name, o)
		}
		users := e.users
		if o.Account == root {
			users++ // the caller
		}
		if n := factsIn(t, folder, o.Account); n != users {
			t.Errorf("%s: facts of %d users, want %d", o.Name, n, users)
		}
		saved, err := folder.Outcome(o.Account)
		if err != nil || saved.NoFacts != o.NoFacts || saved.FactsUnfinished != o.FactsUnfinished {
			t.Errorf("%s: in the folder: %+v, %v", o.Name, saved, err)
		}
	}
	facts := false
	for _, c := range o.Calls() {
		facts = facts || strings.HasPrefix(c.Action, "List")
		if facts && c.Action == getting {
			t.Errorf("%s of %s came after a call for facts", c.Action, c.Account)
		}
	}

	// A repeated run continues with the account whose time was over, and keeps all
	// other reports.
	for i := range factsFaults {
		o.SetFault(member(i+1), fleettest.Fault{})
	}
	again, err := Run{Folder: folder, Resume: true, More: more}.Fetch(t.Context(), targets)
	if err != nil {
		t.Fatal(err)
	}
	users := map[string]int{}
	for _, c := range o.Calls() {
		if c.Action == getting {
			t.Errorf("asked %s for its report again", c.Account)
		}
		if c.User != "" {
			users[c.Account]++
		}
	}
	toAsk := map[string]int{member(2): 10, member(3): 10, member(5): 7}
	if d := cmp.Diff(toAsk, users); d != "" {
		t.Errorf("users who were asked about: %s", d)
	}
	for _, o := range again {
		if o.Status != history.Cached || o.NoFacts != "" || o.FactsUnfinished || factsIn(t, folder, o.Account) < 10 {
			t.Errorf("%+v", o)
		}
	}
}

// TestMoreThrottled checks that calls which are refused or lost for a moment are
// repeated, without a loss.
func TestMoreThrottled(t *testing.T) {
	faults := []factsExpectation{{fault: fleettest.Fault{FactsThrottled: 2}}, {fault: fleettest.Fault{FactsFailing: 2}}}
	_, targets := enriched(t, organizationOf(faults), 10)
	folder := newHistory(t)
	got, err := Run{Folder: folder, More: moreOf(folder, enrich.Keys)}.Fetch(t.Context(), targets)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range got {
		if o.NoFacts != "" || factsIn(t, folder, o.Account) < 10 {
			t.Errorf("%+v", o)
		}
	}
}

// TestMoreInterrupted cancels a run while it reads facts.
func TestMoreInterrupted(t *testing.T) {
	o, targets := enriched(t, organizationOf([]factsExpectation{{}, {fault: fleettest.Fault{FactsStop: 4}}}), 6)
	folder := newHistory(t)
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	ended, reports := 0, 0
	run := Run{Folder: folder, Resume: true, More: moreOf(folder, enrich.Keys),
		Saved: func(int) {
			mu.Lock()
			defer mu.Unlock()
			reports++
		},
		Done: func(int, history.Outcome) {
			mu.Lock()
			defer mu.Unlock()
			if ended++; ended == 2 { // the two good ones
				time.AfterFunc(200*time.Millisecond, cancel)
			}
		}}
	got, err := run.Fetch(ctx, targets)
	if !errors.Is(err, context.Canceled) || reports != 3 {
		t.Fatal(err, reports)
	}
	left := got[2]
	if left.Status != history.OK || !left.FactsUnfinished || factsIn(t, folder, left.Account) != 2 {
		t.Errorf("%+v, facts of %d users", left, factsIn(t, folder, left.Account))
	}
	o.SetFault(left.Account, fleettest.Fault{})
	o.Calls()
	run.Done, run.Saved = nil, nil
	again, err := run.Fetch(t.Context(), targets)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, c := range o.Calls() {
		if named[c.Account+c.User] = true; c.Account != left.Account {
			t.Errorf("asked %s again: %s", c.Account, c.Action)
		}
	}
	if again[2].NoFacts != "" || factsIn(t, folder, left.Account) != 6 || len(named) != 1+4 {
		t.Errorf("%+v, asked about %v", again[2], named)
	}
	// A completed run starts again.
	if _, err := run.Fetch(t.Context(), targets); err != nil || asked(o) != 3 {
		t.Errorf("the run after that did not ask everybody: %v", err)
	}
}

// TestMoreIsBounded checks that the time for all accounts ends a run, even for
// accounts that were not asked yet, and that these are asked by the next one.
func TestMoreIsBounded(t *testing.T) {
	faults := make([]factsExpectation, 12)
	for i := range faults {
		faults[i].fault.FactsStop = 1
	}
	o, targets := enriched(t, organizationOf(faults), 2)
	folder := newHistory(t)
	more := moreOf(folder, enrich.Keys)
	more.Timeout = time.Second
	began := time.Now()
	got, err := Run{Folder: folder, Concurrency: 1, Timeout: time.Minute, More: more}.Fetch(t.Context(), targets)
	if took := time.Since(began); err != nil || took > 30*time.Second {
		t.Fatal(took, err)
	}
	for _, o := range got[1:] {
		if o.NoFacts != "keys: the time was over after 1s" || !o.FactsUnfinished {
			t.Errorf("%+v", o)
		}
	}
	for _, f := range got {
		o.SetFault(f.Account, fleettest.Fault{})
	}
	again, err := Run{Folder: folder, Concurrency: 1, Resume: true, More: moreOf(folder, enrich.Keys)}.Fetch(t.Context(),
		targets)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range again {
		if o.NoFacts != "" || factsIn(t, folder, o.Account) < 2 {
			t.Errorf("%+v", o)
		}
	}
}

// TestMoreRenewsSessions checks that a reading continues with new sessions when its own
// end on the way, sooner than they should: the clocks of two machines differ.
func TestMoreRenewsSessions(t *testing.T) {
	const users = 1000
	o := fleettest.New(t, fleettest.Config{Accounts: organizationOf(make([]factsExpectation, 1)), Users: users,
		SessionCalls: 300})
	c, id := signIn(t, o)
	folder := newHistory(t)
	targets := c.Targets(id, []Member{{Account: member(1)}},
		Roles{Name: fleettest.Role, Actions: enrich.Permissions([]enrich.Kind{enrich.Keys})})
	got, err := Run{Folder: folder, More: moreOf(folder, enrich.Keys)}.Fetch(t.Context(), targets)
	if err != nil || got[0].NoFacts != "" || factsIn(t, folder, got[0].Account) < users {
		t.Errorf("%+v, %v", got, err)
	}
	sessions := map[string]bool{}
	for _, call := range o.Calls() {
		if call.Action == "ListAccessKeys" {
			sessions[call.Key] = true
		}
	}
	if len(sessions) < 4 {
		t.Errorf("%d sessions", len(sessions))
	}
}

// TestMoreNeedsARecentReport checks that facts are not added to an old report.
func TestMoreNeedsARecentReport(t *testing.T) {
	_, targets := enriched(t, organizationOf(nil), 1)
	folder := newHistory(t)
	now := time.Now().Truncate(time.Second)
	if _, err := folder.Save(history.Meta{Account: root, Partition: "aws", Endpoint: targets[0].Endpoint,
		GeneratedAt: now.Add(-5 * time.Hour), FetchedAt: now},
		[]byte("user,arn\n<root_account>,arn:aws:iam::"+root+":root")); err != nil {
		t.Fatal(err)
	}
	got, err := Run{Folder: folder, MaxAge: 24 * time.Hour, More: moreOf(folder, enrich.Keys)}.Fetch(t.Context(), targets)
	if err != nil || got[0].Status == history.Cached && got[0].GeneratedAt.Before(now.Add(-time.Hour)) ||
		factsIn(t, folder, root) == 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestRequestsAtOnce checks that the requests of all accounts share one limit.
func TestRequestsAtOnce(t *testing.T) {
	faults := make([]factsExpectation, 5)
	for i := range faults {
		faults[i].fault.Slow = 20 * time.Millisecond
	}
	o, targets := enriched(t, organizationOf(faults), 8)
	folder := newHistory(t)
	got, err := Run{Folder: folder, Concurrency: 3, More: moreOf(folder, enrich.Keys)}.Fetch(t.Context(), targets)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range got {
		if o.NoFacts != "" {
			t.Errorf("%+v", o)
		}
	}
	if most := o.MostAtOnce(); most > 3 || most < 2 {
		t.Errorf("%d requests at once, want up to 3", most)
	}
}

// TestFactsOfAnOrganization reads the keys and MFA devices of a whole organization.
func TestFactsOfAnOrganization(t *testing.T) {
	size, users := 8, 12
	if *soak > 0 {
		size, users = *soak, 500
	}
	o, targets := enriched(t, organization(size, size, everyFault[:1]), users)
	folder := newHistory(t)
	usage := func() (processor time.Duration) {
		var r syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
			t.Fatal(err)
		}
		return time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	stop := make(chan struct{})
	var watch sync.WaitGroup
	calls, most := 0, uint64(0)
	watch.Go(func() {
		for running := true; running; {
			select {
			case <-stop:
				running = false
			case <-time.After(time.Second):
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
			calls += len(o.Calls())
		}
	})
	before, began := usage(), time.Now()
	got, err := Run{Folder: folder, Timeout: 30 * time.Minute, More: moreOf(folder, enrich.Keys, enrich.MFA)}.Fetch(
		t.Context(), targets)
	took := time.Since(began)
	close(stop)
	watch.Wait()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d accounts with %d users in %s, %s of processor time, %d calls, at most %d MiB on the heap, service included",
		size, users, took.Round(time.Second/10), (usage() - before).Round(time.Second/10), calls, most>>20)
	for _, o := range got {
		if o.Status != history.OK || o.NoFacts != "" || factsIn(t, folder, o.Account) < users {
			t.Fatalf("%+v", o)
		}
	}
	if len(got) != size {
		t.Errorf("%d outcomes", len(got))
	}
}

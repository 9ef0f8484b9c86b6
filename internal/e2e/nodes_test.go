package e2e

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/jackc/pgx/v5"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// TestNodes has two processes on one store: what one did is so on the other
// in the very next request.
func TestNodes(t *testing.T) {
	eachStore(t, func(t *testing.T, flags []string) {
		acc := createAccount(t, flags...)
		a, b := serve(t, flags...), serve(t, flags...)
		for round := range 20 {
			name := fmt.Sprintf("user-%d", round)
			k := createKey(t, a, acc, name)
			if got, want := identityOf(t, b.sts(k)), "arn:aws:iam::"+acc.AccountID+":user/"+name; got != want {
				t.Fatalf("the other node takes the key for that of %s, want %s", got, want)
			}
			revoked(t, a, b, acc, name, k)
			a, b = b, a
		}
		a.stop()
		b.stop()
	})
}

// revoked takes a key that b has just accepted away on a, in every way there
// is, and looks whether b still accepts it.
func revoked(t *testing.T, a, b *process, acc account, name string, k key) {
	t.Helper()
	ctx, client, other := t.Context(), a.iam(acc.root()), transport(t)
	set := func(status types.StatusType) {
		t.Helper()
		_, err := client.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: &name, AccessKeyId: &k.id, Status: status})
		if err != nil {
			t.Fatal(err)
		}
	}
	set(types.StatusTypeInactive)
	if got := codeOf(signs(ctx, b.url, k, other)); got != "InvalidClientTokenId" {
		t.Fatalf("the other node answered a deactivated key %q, want InvalidClientTokenId", got)
	}
	set(types.StatusTypeActive)
	if err := signs(ctx, b.url, k, other); err != nil {
		t.Fatalf("the other node refused a key that is active again: %v", err)
	}
	if _, err := client.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &name, AccessKeyId: &k.id}); err != nil {
		t.Fatal(err)
	}
	if got := codeOf(signs(ctx, b.url, k, other)); got != "InvalidClientTokenId" {
		t.Fatalf("the other node answered a deleted key %q, want InvalidClientTokenId", got)
	}
	if _, err := client.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name}); err != nil {
		t.Fatal(err)
	}
	_, err := b.iam(acc.root()).GetUser(ctx, &iam.GetUserInput{UserName: &name})
	if got := codeOf(err); got != "NoSuchEntity" {
		t.Fatalf("the other node answered for a deleted user %q, want NoSuchEntity", got)
	}
}

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	if api, ok := errorCode(err); ok {
		return api
	}
	return err.Error()
}

// TestNodesGenerateOnce asks two nodes for a report, many times at once.
// One call starts it.
func TestNodesGenerateOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, flags []string) {
		acc := createAccount(t, flags...)
		nodes := []*process{serve(t, append(flags, "--report-max-age", "1h")...), serve(t, append(flags, "--report-max-age", "1h")...)}
		states := make(chan types.ReportStateType, 80)
		var callers sync.WaitGroup
		for i := range 8 {
			client := nodes[i%2].iam(acc.root())
			callers.Go(func() {
				for range 10 {
					out, err := client.GenerateCredentialReport(t.Context(), &iam.GenerateCredentialReportInput{})
					if err != nil {
						t.Error(err)
						return
					}
					states <- out.State
				}
			})
		}
		callers.Wait()
		close(states)
		count := map[types.ReportStateType]int{}
		for s := range states {
			count[s]++
		}
		if count[types.ReportStateTypeStarted] != 1 {
			t.Errorf("states %v, want exactly one STARTED", count)
		}
		first, second := report(t, nodes[0], acc), report(t, nodes[1], acc)
		if !bytes.Equal(first.Content, second.Content) || !first.GeneratedTime.Equal(*second.GeneratedTime) {
			t.Errorf("the nodes give different reports:\n%s %s\n%s %s", first.GeneratedTime, first.Content, second.GeneratedTime, second.Content)
		}
	})
}

// report waits until the report is complete and gets it.
func report(t *testing.T, node *process, acc account) *iam.GetCredentialReportOutput {
	t.Helper()
	client := node.iam(acc.root())
	for end := time.Now().Add(90 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		generated, err := client.GenerateCredentialReport(t.Context(), &iam.GenerateCredentialReportInput{})
		if err != nil {
			t.Fatal(err)
		}
		if generated.State == types.ReportStateTypeComplete {
			break
		}
		if time.Now().After(end) {
			node.dump()
			t.Fatalf("the report is still %s", generated.State)
		}
	}
	out, err := client.GetCredentialReport(t.Context(), &iam.GetCredentialReportInput{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestNodesFence pauses a node while it generates a report, for longer than
// its lease. The other node takes over, and the paused one, awake again,
// publishes nothing: its report is of the past.
func TestNodesFence(t *testing.T) {
	eachStore(t, func(t *testing.T, flags []string) {
		acc := createAccount(t, flags...)
		seed(t, flags, acc, manyUsers(flags))
		young := append(flags[:len(flags):len(flags)], "--report-max-age", "3s")
		a, b := serve(t, young...), serve(t, young...)
		for try := range 30 {
			if fenced(t, a, b, acc, flags, try) {
				return
			}
			t.Logf("attempt %d: the node was not paused in the middle of its work", try)
		}
		t.Error("no node could be paused while it generates")
	})
}

// fenced is false where the node was too fast, or was stopped while it held
// a lock that the other one needs.
func fenced(t *testing.T, a, b *process, acc account, flags []string, try int) bool {
	t.Helper()
	release := holdReports(t, flags)
	started, err := a.iam(acc.root()).GenerateCredentialReport(t.Context(), &iam.GenerateCredentialReportInput{})
	if err != nil {
		t.Fatal(err)
	}
	// A job begins with short writes; later it reads, for long.
	time.Sleep(time.Duration(5+try*7%60) * time.Millisecond)
	a.signal(syscall.SIGSTOP)
	release()
	resume := sync.OnceFunc(func() { a.signal(syscall.SIGCONT) })
	defer resume()
	if started.State != types.ReportStateTypeStarted {
		t.Fatalf("state %s, want STARTED", started.State)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	soon, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	client, late := b.iam(acc.root()), fmt.Sprintf("late-%d", try)
	_, err = client.CreateUser(soon, &iam.CreateUserInput{UserName: &late})
	if err != nil && !answered(err) {
		return forget(t, resume, b, acc)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.GetCredentialReport(ctx, &iam.GetCredentialReportInput{}); codeOf(err) != "ReportInProgress" {
		return forget(t, resume, b, acc)
	}
	paused := time.Now()
	taken := false
	for !taken && ctx.Err() == nil {
		again, err := client.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{})
		if err != nil {
			return forget(t, resume, b, acc)
		}
		taken = again.State == types.ReportStateTypeStarted
		time.Sleep(50 * time.Millisecond)
	}
	if !taken {
		t.Fatal("no node took the report of the paused one over")
	}
	t.Logf("taken over %v after the pause began", time.Since(paused).Round(100*time.Millisecond))
	mine := report(t, b, acc)
	if !strings.Contains(string(mine.Content), "\n"+late+",") {
		t.Errorf("the report does not show %s, created before it was started", late)
	}
	before := published(t, flags, acc)
	resume()
	waitLogged(t, a, "credential report failed")
	if after := published(t, flags, acc); after != before {
		t.Errorf("%d reports after the paused node went on, %d before", after, before)
	}
	after, err := client.GetCredentialReport(t.Context(), &iam.GetCredentialReportInput{})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(after.Content, mine.Content) {
		t.Error("the node that had lost its lease changed the published report")
	}
	return true
}

// forget brings the nodes back to rest. It returns false.
func forget(t *testing.T, resume func(), b *process, acc account) bool {
	resume()
	report(t, b, acc)
	time.Sleep(3100 * time.Millisecond) // until a new report is made again
	return false
}

func waitLogged(t *testing.T, p *process, text string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if strings.Contains(p.stderr.String(), text) {
			return
		}
	}
	t.Errorf("%q is not in the log", text)
}

// TestNodesTakeOver kills a node while it generates a report. Nothing of it
// is seen, and the other node starts anew.
func TestNodesTakeOver(t *testing.T) {
	eachStore(t, func(t *testing.T, flags []string) {
		acc := createAccount(t, flags...)
		users := manyUsers(flags)
		seed(t, flags, acc, users)
		a, b := serve(t, flags...), serve(t, flags...)
		client := b.iam(acc.root())
		release := holdReports(t, flags)
		if _, err := a.iam(acc.root()).GenerateCredentialReport(t.Context(), &iam.GenerateCredentialReportInput{}); err != nil {
			t.Fatal(err)
		}
		a.kill()
		release()
		_, err := client.GetCredentialReport(t.Context(), &iam.GetCredentialReportInput{})
		if code := codeOf(err); code != "ReportInProgress" && code != "" {
			t.Errorf("after the crash: %v", err)
		}
		out := report(t, b, acc)
		if got, want := bytes.Count(out.Content, []byte("\n")), users+1; got != want {
			t.Errorf("%d lines after the header, want %d", got, want)
		}
		b.stop()
		checkFile(t, flags)
	})
}

// manyUsers is how many make a report take long enough for a signal to arrive
// before it is published. On PostgreSQL holdReports sees to that.
func manyUsers(flags []string) int {
	if len(flags) > 2 {
		return 1000
	}
	return 40_000
}

// holdReports keeps every node from writing reports, until it is released.
// SQLite has no lock that leaves the rest alone.
func holdReports(t *testing.T, flags []string) (release func()) {
	t.Helper()
	if len(flags) <= 2 {
		return func() {}
	}
	return hold(t, flags[3], "LOCK TABLE report_chunks IN ACCESS EXCLUSIVE MODE")
}

// hold keeps a lock in PostgreSQL until it is released.
func hold(t *testing.T, url, lock string) (release func()) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() { c.Close(context.Background()) })
	t.Cleanup(release)
	if _, err := c.Exec(t.Context(), "BEGIN; "+lock); err != nil {
		t.Fatal(err)
	}
	return release
}

// database is the store of an installation, for looking behind the service.
func database(t *testing.T, flags []string) *store.DB {
	t.Helper()
	cfg := store.Config{Path: flags[1] + "/rollcall.db"}
	if len(flags) > 2 {
		cfg = store.Config{URL: flags[3]}
	}
	return storetest.Open(t, cfg)
}

// seed adds many users before the service starts.
func seed(t *testing.T, flags []string, acc account, n int) {
	t.Helper()
	if err := storetest.Seed(t.Context(), database(t, flags), acc.AccountID, n); err != nil {
		t.Fatal(err)
	}
}

// published is how many reports of an account are kept.
func published(t *testing.T, flags []string, acc account) (n int) {
	t.Helper()
	err := database(t, flags).View(t.Context(), func(tx *store.Tx) error {
		all, err := tx.Reports(acc.AccountID, 100)
		n = len(all)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestNodesShareLastUse has both nodes accept calls of one key: the later use
// is the one that is kept, whichever node it was on.
func TestNodesShareLastUse(t *testing.T) {
	eachStore(t, func(t *testing.T, flags []string) {
		acc := createAccount(t, flags...)
		a, b := serve(t, flags...), serve(t, flags...)
		k := createKey(t, a, acc, "carol")
		identityOf(t, a.sts(k))
		time.Sleep(1100 * time.Millisecond) // the next second
		later := time.Now().Truncate(time.Second)
		identityOf(t, b.sts(k))
		// The node with the later use writes it first, the other one after it.
		b.stop()
		a.stop()
		c := serve(t, flags...)
		out, err := c.iam(acc.root()).GetAccessKeyLastUsed(t.Context(), &iam.GetAccessKeyLastUsedInput{AccessKeyId: aws.String(k.id)})
		if err != nil {
			t.Fatal(err)
		}
		if got := out.AccessKeyLastUsed; got.LastUsedDate == nil || got.LastUsedDate.Before(later) || aws.ToString(got.ServiceName) != "sts" {
			t.Errorf("last used %v on %s, want %v or later on sts", got.LastUsedDate, aws.ToString(got.ServiceName), later)
		}
	})
}

// TestReportsLeaveRoom makes reports of more accounts at once than the
// service has connections to its database. Calls are answered meanwhile.
func TestReportsLeaveRoom(t *testing.T) {
	t.Parallel()
	flags := []string{"--data", dataDir(t), "--store", storetest.Postgres(t).URL}
	var accounts []account
	for range 6 {
		accounts = append(accounts, createAccount(t, flags...))
	}
	node := serve(t, flags[0], flags[1], flags[2], flags[3]+"&pool_max_conns=4")
	// Reports read this table, and the calls below do not.
	release := hold(t, flags[3], "LOCK TABLE signing_certificates IN ACCESS EXCLUSIVE MODE")
	for _, acc := range accounts {
		out, err := node.iam(acc.root()).GenerateCredentialReport(t.Context(), &iam.GenerateCredentialReportInput{})
		if err != nil || out.State != types.ReportStateTypeStarted {
			t.Fatalf("%v %v, want STARTED", out, err)
		}
	}
	time.Sleep(500 * time.Millisecond) // until the jobs wait for what is held
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, acc := range accounts {
		if _, err := node.iam(acc.root()).GetUser(ctx, &iam.GetUserInput{}); err != nil {
			t.Errorf("a call while reports are made: %v", err)
		}
	}
	release()
	for _, acc := range accounts {
		report(t, node, acc)
	}
}

// TestNodesPausedInChange pauses a node in the middle of a change that locks
// a row which the other node needs too. The database ends that change after
// a while, so the other node waits no longer than that.
func TestNodesPausedInChange(t *testing.T) {
	t.Parallel()
	flags := []string{"--data", dataDir(t), "--store", storetest.Postgres(t).URL}
	acc := createAccount(t, flags...)
	a, b := serve(t, flags...), serve(t, flags...)
	identityOf(t, a.sts(acc.root()))
	time.Sleep(1500 * time.Millisecond) // until that use is written
	release := hold(t, flags[3], "SELECT used FROM access_key_last_used FOR UPDATE")
	identityOf(t, a.sts(acc.root()))
	time.Sleep(1500 * time.Millisecond) // until this one waits for the row
	a.signal(syscall.SIGSTOP)
	release()
	paused := time.Now()
	// The report shows the use of the same key.
	if out := report(t, b, acc); !strings.Contains(string(out.Content), "<root_account>") {
		t.Errorf("report %s", out.Content)
	}
	t.Logf("the other node went on after %v", time.Since(paused).Round(100*time.Millisecond))
	a.signal(syscall.SIGCONT)
	waitFor(t, "a call of the node that was paused", func() error {
		return signs(t.Context(), a.url, acc.root(), sharedClient)
	})
	a.stop()
	b.stop()
}

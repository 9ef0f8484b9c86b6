package nodes

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
	"github.com/ncruces/go-sqlite3"

	"rollcall/internal/e2e/e2etest"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// TestNodes runs two processes on one store: the very next request on one sees
// the changes of the other.
func TestNodes(t *testing.T) {
	e2etest.EachStore(t, func(t *testing.T, flags []string) {
		acc := e2etest.CreateAccount(t, flags...)
		a, b := e2etest.Serve(t, flags...), e2etest.Serve(t, flags...)
		for round := range 20 {
			name := fmt.Sprintf("user-%d", round)
			k := e2etest.CreateKey(t, a, acc, name)
			if got, want := e2etest.IdentityOf(t, b.STS(k)), "arn:aws:iam::"+acc.AccountID+":user/"+name; got != want {
				t.Fatalf("the other node takes the key for that of %s, want %s", got, want)
			}
			revoked(t, a, b, acc, name, k)
			a, b = b, a
		}
		a.Stop()
		b.Stop()
	})
}

// revoked revokes on node a, in every possible way, a key that b has just
// accepted, and checks whether b still accepts it.
func revoked(t *testing.T, a, b *e2etest.Process, acc e2etest.Account, name string, k e2etest.Key) {
	t.Helper()
	ctx, client, other := t.Context(), a.IAM(acc.Root()), e2etest.Transport(t)
	set := func(status types.StatusType) {
		t.Helper()
		_, err := client.UpdateAccessKey(ctx,
			&iam.UpdateAccessKeyInput{UserName: &name, AccessKeyId: &k.ID, Status: status})
		if err != nil {
			t.Fatal(err)
		}
	}
	set(types.StatusTypeInactive)
	if got := e2etest.CodeOf(e2etest.Signs(ctx, b.URL, k, other)); got != "InvalidClientTokenId" {
		t.Fatalf("the other node answered a deactivated key %q, want InvalidClientTokenId", got)
	}
	set(types.StatusTypeActive)
	if err := e2etest.Signs(ctx, b.URL, k, other); err != nil {
		t.Fatalf("the other node refused a key that is active again: %v", err)
	}
	if _, err := client.DeleteAccessKey(ctx,
		&iam.DeleteAccessKeyInput{UserName: &name, AccessKeyId: &k.ID}); err != nil {
		t.Fatal(err)
	}
	if got := e2etest.CodeOf(e2etest.Signs(ctx, b.URL, k, other)); got != "InvalidClientTokenId" {
		t.Fatalf("the other node answered a deleted key %q, want InvalidClientTokenId", got)
	}
	if _, err := client.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name}); err != nil {
		t.Fatal(err)
	}
	_, err := b.IAM(acc.Root()).GetUser(ctx, &iam.GetUserInput{UserName: &name})
	if got := e2etest.CodeOf(err); got != "NoSuchEntity" {
		t.Fatalf("the other node answered for a deleted user %q, want NoSuchEntity", got)
	}
}

// TestNodesGenerateOnce requests a report from two nodes, many times at once.
// One call starts it.
func TestNodesGenerateOnce(t *testing.T) {
	e2etest.EachStore(t, func(t *testing.T, flags []string) {
		acc := e2etest.CreateAccount(t, flags...)
		nodes := []*e2etest.Process{e2etest.Serve(t, append(flags, "--report-max-age", "1h")...),
			e2etest.Serve(t, append(flags, "--report-max-age", "1h")...)}
		states := make(chan types.ReportStateType, 80)
		var callers sync.WaitGroup
		for i := range 8 {
			client := nodes[i%2].IAM(acc.Root())
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
		first, second := e2etest.Report(t, nodes[0], acc), e2etest.Report(t, nodes[1], acc)
		if !bytes.Equal(first.Content, second.Content) || !first.GeneratedTime.Equal(*second.GeneratedTime) {
			t.Errorf("the nodes give different reports:\n%s %s\n%s %s", first.GeneratedTime, first.Content,
				second.GeneratedTime, second.Content)
		}
	})
}

// TestNodesFence pauses a node while it generates a report, for longer than its
// lease. The other node takes over, and the paused node publishes nothing when
// it wakes, because its report is out of date.
func TestNodesFence(t *testing.T) {
	e2etest.EachStore(t, func(t *testing.T, flags []string) {
		acc := e2etest.CreateAccount(t, flags...)
		e2etest.Seed(t, flags, acc, manyUsers(flags))
		young := append(flags[:len(flags):len(flags)], "--report-max-age", "3s")
		a, b := e2etest.Serve(t, young...), e2etest.Serve(t, young...)
		for try := range 30 {
			if fenced(t, a, b, acc, flags, try) {
				return
			}
			t.Logf("attempt %d: the node was not paused in the middle of its work", try)
		}
		t.Error("no node could be paused while it generates")
	})
}

// fenced is false if the node was too fast, or was stopped while it held a lock
// that the other one needs.
func fenced(t *testing.T, a, b *e2etest.Process, acc e2etest.Account, flags []string, try int) bool {
	t.Helper()
	h := holdReports(t, flags)
	started, err := a.IAM(acc.Root()).GenerateCredentialReport(t.Context(), &iam.GenerateCredentialReportInput{})
	if err != nil {
		t.Fatal(err)
	}
	h.waitMidway()
	a.Signal(syscall.SIGSTOP)
	h.release()
	resume := sync.OnceFunc(func() { a.Signal(syscall.SIGCONT) })
	defer resume()
	if started.State != types.ReportStateTypeStarted {
		t.Fatalf("state %s, want STARTED", started.State)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	soon, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	client, late := b.IAM(acc.Root()), fmt.Sprintf("late-%d", try)
	_, err = client.CreateUser(soon, &iam.CreateUserInput{UserName: &late})
	if err != nil && !e2etest.Answered(err) {
		return forget(t, resume, b, acc)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.GetCredentialReport(ctx, &iam.GetCredentialReportInput{}); e2etest.CodeOf(
		err) != "ReportInProgress" {
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
	mine := e2etest.Report(t, b, acc)
	if !strings.Contains(string(mine.Content), "\n"+late+",") {
		t.Errorf("the report does not show %s, created before it was started", late)
	}
	before := published(t, flags, acc)
	resume()
	waitLogged(t, a, "credential report failed")
	if after := published(t, flags, acc); after != before {
		t.Errorf("%d reports after the paused node continued, %d before", after, before)
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
func forget(t *testing.T, resume func(), b *e2etest.Process, acc e2etest.Account) bool {
	resume()
	e2etest.Report(t, b, acc)
	time.Sleep(3100 * time.Millisecond) // until a new report is generated again
	return false
}

func waitLogged(t *testing.T, p *e2etest.Process, text string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if strings.Contains(p.Stderr.String(), text) {
			return
		}
	}
	t.Errorf("%q is not in the log", text)
}

// TestNodesTakeOver kills a node while it generates a report. None of it is
// visible, and the other node starts again from the beginning.
func TestNodesTakeOver(t *testing.T) {
	e2etest.EachStore(t, func(t *testing.T, flags []string) {
		acc := e2etest.CreateAccount(t, flags...)
		users := manyUsers(flags)
		e2etest.Seed(t, flags, acc, users)
		a, b := e2etest.Serve(t, flags...), e2etest.Serve(t, flags...)
		client := b.IAM(acc.Root())
		h := holdReports(t, flags)
		if _, err := a.IAM(acc.Root()).GenerateCredentialReport(t.Context(),
			&iam.GenerateCredentialReportInput{}); err != nil {
			t.Fatal(err)
		}
		h.waitMidway()
		a.Kill()
		h.release()
		_, err := client.GetCredentialReport(t.Context(), &iam.GetCredentialReportInput{})
		if code := e2etest.CodeOf(err); code != "ReportInProgress" && code != "" {
			t.Errorf("after the crash: %v", err)
		}
		out := e2etest.Report(t, b, acc)
		if got, want := bytes.Count(out.Content, []byte("\n")), users+1; got != want {
			t.Errorf("%d lines after the header, want %d", got, want)
		}
		b.Stop()
		e2etest.CheckFile(t, flags)
	})
}

// manyUsers returns the number of users for which a report takes long enough
// for holdReports to stop it. On PostgreSQL any number is enough.
func manyUsers(flags []string) int {
	if len(flags) > 2 {
		return 100
	}
	return 10_000
}

// hold stops reports in the middle, while their node holds nothing that another
// node waits for.
type hold struct {
	waitMidway func() // for a started report
	release    func()
}

// holdReports stops the reports that start from now on. On PostgreSQL they wait
// for a table that only they read, on SQLite for their turn to write.
func holdReports(t *testing.T, flags []string) hold {
	t.Helper()
	if len(flags) > 2 {
		release := holdLock(t, flags[3], "LOCK TABLE signing_certificates IN ACCESS EXCLUSIVE MODE")
		return hold{func() { waitLocked(t, flags[3], "signing_certificates") }, release}
	}
	db, err := sqlite3.Open("file:" + flags[1] + "/rollcall.db")
	if err != nil {
		t.Fatal(err)
	}
	release := sync.OnceFunc(func() { db.Close() })
	t.Cleanup(release)
	return hold{func() {
		if err := db.Exec("PRAGMA busy_timeout(20000); BEGIN IMMEDIATE"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}, release}
}

// waitLocked waits until a session of PostgreSQL waits for a table.
func waitLocked(t *testing.T, url, table string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	e2etest.WaitFor(t, "a session that waits for "+table, func() error {
		var n int
		return c.QueryRow(t.Context(),
			"SELECT 1 FROM pg_locks WHERE NOT granted AND relation = $1::regclass LIMIT 1", table).Scan(&n)
	})
}

// holdLock keeps a lock in PostgreSQL until it is released.
func holdLock(t *testing.T, url, lock string) (release func()) {
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

// published returns the number of stored reports of an account.
func published(t *testing.T, flags []string, acc e2etest.Account) (n int) {
	t.Helper()
	err := e2etest.Database(t, flags).View(t.Context(), func(tx *store.Tx) error {
		all, err := tx.Reports(acc.AccountID, 100)
		n = len(all)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestNodesShareLastUse lets both nodes accept calls of one key. The later use is
// kept, no matter which node accepted it.
func TestNodesShareLastUse(t *testing.T) {
	e2etest.EachStore(t, func(t *testing.T, flags []string) {
		acc := e2etest.CreateAccount(t, flags...)
		a, b := e2etest.Serve(t, flags...), e2etest.Serve(t, flags...)
		k := e2etest.CreateKey(t, a, acc, "carol")
		e2etest.IdentityOf(t, a.STS(k))
		time.Sleep(1100 * time.Millisecond) // the next second
		later := time.Now().Truncate(time.Second)
		e2etest.IdentityOf(t, b.STS(k))
		// The node with the later use writes first, then the other one.
		b.Stop()
		a.Stop()
		c := e2etest.Serve(t, flags...)
		out, err := c.IAM(acc.Root()).GetAccessKeyLastUsed(t.Context(),
			&iam.GetAccessKeyLastUsedInput{AccessKeyId: aws.String(k.ID)})
		if err != nil {
			t.Fatal(err)
		}
		if got := out.AccessKeyLastUsed; got.LastUsedDate == nil || got.LastUsedDate.Before(later) ||
			aws.ToString(got.ServiceName) != "sts" {
			t.Errorf("last used %v on %s, want %v or later on sts", got.LastUsedDate, aws.ToString(got.ServiceName),
				later)
		}
	})
}

// TestReportsLeaveRoom generates reports of more accounts at once than the
// service has connections to its database. Calls are still answered.
func TestReportsLeaveRoom(t *testing.T) {
	t.Parallel()
	flags := []string{"--data", e2etest.DataDir(t), "--store", storetest.Postgres(t).URL}
	var accounts []e2etest.Account
	for range 6 {
		accounts = append(accounts, e2etest.CreateAccount(t, flags...))
	}
	node := e2etest.Serve(t, flags[0], flags[1], flags[2], flags[3]+"&pool_max_conns=4")
	// Reports read this table, and the calls below do not.
	release := holdLock(t, flags[3], "LOCK TABLE signing_certificates IN ACCESS EXCLUSIVE MODE")
	for _, acc := range accounts {
		out, err := node.IAM(acc.Root()).GenerateCredentialReport(t.Context(), &iam.GenerateCredentialReportInput{})
		if err != nil || out.State != types.ReportStateTypeStarted {
			t.Fatalf("%v %v, want STARTED", out, err)
		}
	}
	time.Sleep(500 * time.Millisecond) // until the jobs wait for the lock
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, acc := range accounts {
		if _, err := node.IAM(acc.Root()).GetUser(ctx, &iam.GetUserInput{}); err != nil {
			t.Errorf("a call while reports are generated: %v", err)
		}
	}
	release()
	for _, acc := range accounts {
		e2etest.Report(t, node, acc)
	}
}

// TestNodesPausedInChange pauses a node in the middle of a change that locks a
// row which the other node needs too. The database ends that change after a
// while, so the other node waits no longer than that.
func TestNodesPausedInChange(t *testing.T) {
	t.Parallel()
	flags := []string{"--data", e2etest.DataDir(t), "--store", storetest.Postgres(t).URL}
	acc := e2etest.CreateAccount(t, flags...)
	a, b := e2etest.Serve(t, flags...), e2etest.Serve(t, flags...)
	e2etest.IdentityOf(t, a.STS(acc.Root()))
	time.Sleep(1500 * time.Millisecond) // until that use is written
	release := holdLock(t, flags[3], "SELECT used FROM access_key_last_used FOR UPDATE")
	e2etest.IdentityOf(t, a.STS(acc.Root()))
	time.Sleep(1500 * time.Millisecond) // until this one waits for the row
	a.Signal(syscall.SIGSTOP)
	release()
	paused := time.Now()
	// The report shows the use of the same key.
	if out := e2etest.Report(t, b, acc); !strings.Contains(string(out.Content), "<root_account>") {
		t.Errorf("report %s", out.Content)
	}
	t.Logf("the other node continued after %v", time.Since(paused).Round(100*time.Millisecond))
	a.Signal(syscall.SIGCONT)
	e2etest.WaitFor(t, "a call of the node that was paused", func() error {
		return e2etest.Signs(t.Context(), a.URL, acc.Root(), e2etest.SharedClient)
	})
	a.Stop()
	b.Stop()
}

package faults

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/e2e/e2etest"
)

// crashes is the least number of crashes of TestCrash.
var crashes = flag.Int("crashes", 4, "how often TestCrash kills the service on each store, at least")

// TestCrash kills the service under load, again and again. After every crash, all
// acknowledged changes are there, and all changes that are there were requested. An
// interrupted call happened completely or not at all.
func TestCrash(t *testing.T) {
	e2etest.EachStore(t, func(t *testing.T, flags []string) {
		var all []*ledger
		node := e2etest.Serve(t, flags...)
		end := time.Now().Add(*e2etest.Soak)
		round, users := 0, 0
		for ; round < *crashes || time.Now().Before(end); round++ {
			// Each check reads a whole account, so the load moves to a new one before it is large.
			if round%100 == 0 {
				all = append(all, &ledger{account: e2etest.CreateAccount(t, flags...), users: map[string]*ledgerUser{}})
			}
			l := all[len(all)-1]
			load(t, node, l, round)
			e2etest.CheckFile(t, flags)
			node = e2etest.Serve(t, flags...)
			l.check(t, node, round)
		}
		for _, l := range all {
			l.check(t, node, round)
			users += len(l.users)
		}
		node.Stop()
		e2etest.CheckFile(t, flags)
		t.Logf("%d crashes, %d users in %d accounts", round, users, len(all))
	})
}

// ledger holds the knowledge of the clients of an account: for each user, the
// acknowledged changes, and the requested ones without an answer.
type ledger struct {
	account e2etest.Account
	mu      sync.Mutex
	users   map[string]*ledgerUser
}

type ledgerUser struct {
	round   int
	created bool // CreateUser was acknowledged
	deleted bool // DeleteUser was acknowledged
	// doubt says that the last call about this user was not answered.
	doubt bool
	key   e2etest.Key
	// off says that the key's deactivation was acknowledged.
	off bool
}

func (l *ledger) note(change func()) {
	l.mu.Lock()
	change()
	l.mu.Unlock()
}

// load runs eight clients until the node is killed.
func load(t *testing.T, node *e2etest.Process, l *ledger, round int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var clients sync.WaitGroup
	for c := range 8 {
		clients.Go(func() {
			client := node.IAM(l.account.Root())
			for i := 0; ctx.Err() == nil; i++ {
				if err := l.life(ctx, client, fmt.Sprintf("user-%d-%d-%d", round, c, i), round, i); err != nil {
					if e2etest.Answered(err) {
						t.Errorf("under load: %v", err)
					}
					return
				}
			}
		})
	}
	time.Sleep(200*time.Millisecond + rand.N(600*time.Millisecond))
	node.Kill()
	cancel()
	clients.Wait()
}

// life makes the calls of one client about one user.
func (l *ledger) life(ctx context.Context, client *iam.Client, name string, round, i int) error {
	u := &ledgerUser{round: round, doubt: true}
	l.note(func() { l.users[name] = u })
	if _, err := client.CreateUser(ctx,
		&iam.CreateUserInput{UserName: &name,
			Tags: []types.Tag{{Key: aws.String("round"), Value: aws.String(fmt.Sprint(round))}}}); err != nil {
		return err
	}
	l.note(func() { u.created, u.doubt = true, i%4 == 0 })
	if i%4 == 0 { // one in four is deleted immediately
		if _, err := client.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name}); err != nil {
			return err
		}
		l.note(func() { u.deleted, u.doubt = true, false })
		return nil
	}
	out, err := client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		return err
	}
	l.note(func() {
		u.key, u.doubt = e2etest.Key{ID: *out.AccessKey.AccessKeyId, Secret: *out.AccessKey.SecretAccessKey}, i%4 == 1
	})
	if i%4 == 1 { // and one in four loses its key
		_, err := client.UpdateAccessKey(ctx,
			&iam.UpdateAccessKeyInput{UserName: &name, AccessKeyId: &u.key.ID, Status: types.StatusTypeInactive})
		if err != nil {
			return err
		}
		l.note(func() { u.off, u.doubt = true, false })
	}
	return nil
}

// check compares the service with the ledger. A doubtful entry becomes the
// service's state.
func (l *ledger) check(t *testing.T, node *e2etest.Process, round int) {
	t.Helper()
	ctx := t.Context()
	client := node.IAM(l.account.Root())
	found := map[string]bool{}
	pages := iam.NewListUsersPaginator(client, &iam.ListUsersInput{MaxItems: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatalf("round %d: list users: %v", round, err)
		}
		for _, u := range page.Users {
			found[*u.UserName] = true
		}
	}
	keys := 0
	for _, name := range slices.Sorted(maps.Keys(l.users)) {
		u := l.users[name]
		switch {
		case u.created && !u.deleted && !u.doubt && !found[name]:
			t.Errorf("round %d: user %s of round %d was acknowledged and is lost", round, name, u.round)
		case u.deleted && found[name]:
			t.Errorf("round %d: user %s of round %d is back after its deletion was acknowledged", round, name, u.round)
		case u.doubt && u.created && u.key.ID != "" && !found[name]:
			t.Errorf("round %d: user %s with a key is lost", round, name)
		}
		keys += l.checkKey(t, node, name, u, round)
		if u.doubt {
			u.created, u.deleted, u.doubt = found[name], !found[name], false
		}
		if found[name] && !u.created {
			t.Errorf("round %d: user %s is there and was never asked for", round, name)
		}
		delete(found, name)
	}
	for name := range found {
		t.Errorf("round %d: user %s is there and was never asked for", round, name)
	}
	l.checkCounts(t, client, round)
	t.Logf("round %d: %d users so far, %d keys tried", round, len(l.users), keys)
}

// checkKey signs with the keys of the last round, and with some of earlier
// ones.
func (l *ledger) checkKey(t *testing.T, node *e2etest.Process, name string, u *ledgerUser, round int) int {
	if u.key.ID == "" || u.round < round && rand.N(50) != 0 {
		return 0
	}
	client := e2etest.SharedClient
	err := e2etest.Signs(t.Context(), node.URL, u.key, client)
	switch {
	case err == nil && u.off:
		t.Errorf("round %d: the key of %s signs after its deactivation was acknowledged", round, name)
	case err == nil:
		u.off = false
	case !e2etest.Answered(err):
		t.Fatalf("round %d: %v", round, err)
	case !u.off && !u.doubt:
		t.Errorf("round %d: the key of %s was acknowledged and does not sign: %v", round, name, err)
	default:
		u.off = true
	}
	return 1
}

// checkCounts compares the counts of the service with its content. A difference
// would be a half applied change.
func (l *ledger) checkCounts(t *testing.T, client *iam.Client, round int) {
	t.Helper()
	want := 0
	for _, u := range l.users {
		if u.created && !u.deleted {
			want++
		}
	}
	summary, err := client.GetAccountSummary(t.Context(), &iam.GetAccountSummaryInput{})
	if err != nil {
		t.Fatal(err)
	}
	if got := int(summary.SummaryMap["Users"]); got != want {
		t.Errorf("round %d: the account counts %d users and holds %d", round, got, want)
	}
}

// TestCrashWhileRotatingMasterKey kills the rotation at any moment while the
// service runs and seals secrets. Each time the service continues, its sealed
// secrets open, and in the end a rotation succeeds.
func TestCrashWhileRotatingMasterKey(t *testing.T) {
	t.Parallel()
	data := []string{"--data", e2etest.DataDir(t)}
	a := e2etest.CreateAccount(t, data...)
	node := e2etest.Serve(t, data...)
	keys := []e2etest.Key{a.Root()}
	rounds := 12
	end := time.Now().Add(*e2etest.Soak)
	for round := 0; round < rounds || time.Now().Before(end); round++ {
		cmd := e2etest.Launch(t, e2etest.Rotation(t, data))
		time.Sleep(rand.N(40 * time.Millisecond))
		cmd.Kill()
		keys = append(keys, e2etest.CreateKey(t, node, a, fmt.Sprintf("user-%d", round)))
		if round%4 == 3 {
			node.Kill()
			node = e2etest.Serve(t, data...)
		}
		for _, k := range keys[max(0, len(keys)-20):] {
			if err := e2etest.Signs(t.Context(), node.URL, k, e2etest.SharedClient); err != nil {
				t.Fatalf("after %d broken rotations: %v", round+1, err)
			}
		}
	}
	e2etest.Operate(t, append([]string{"masterkey", "rotate"}, data...)...)
	e2etest.Operate(t, append([]string{"masterkey", "verify"}, data...)...)
	node.Stop()
	node = e2etest.Serve(t, data...)
	for _, k := range keys {
		if err := e2etest.Signs(t.Context(), node.URL, k, e2etest.SharedClient); err != nil {
			t.Errorf("after the rotation: %v", err)
		}
	}
	node.Stop()
}

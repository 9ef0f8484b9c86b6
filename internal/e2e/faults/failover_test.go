package faults

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/e2e/e2etest"
	"rollcall/internal/storetest"
)

// TestFailover freezes the primary of two PostgreSQL servers in the middle of
// changes and promotes its synchronous standby. Calls are refused only until
// shortly after the promotion, and no acknowledged change is lost.
func TestFailover(t *testing.T) {
	t.Parallel()
	first, err := storetest.StartServer(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { first.Stop() })
	second, err := first.StartStandby(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { second.Stop() })
	flags := []string{"--data", e2etest.DataDir(t), "--store", storetest.URLOfBoth(first, second, "postgres")}
	acc := e2etest.CreateAccount(t, flags...)
	node := e2etest.Serve(t, flags...)
	clients := startCreators(t, node, acc)
	clients.waitForOneEach(t, time.Unix(0, 0))

	if err := first.Freeze(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { first.Thaw() }) // it can stop only if it runs
	time.Sleep(2 * time.Second)        // calls are in progress and wait
	promoted := time.Now()
	if err := second.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	clients.waitForOneEach(t, promoted)
	t.Logf("the first acknowledged change came %s after the promotion, one of each client after %s",
		clients.earliest(promoted).Round(time.Millisecond), time.Since(promoted).Round(time.Millisecond))
	// If only clients gave up, the pause was 59 s. A slow machine is not that slow.
	if took := clients.earliest(promoted); took > 10*time.Second {
		t.Errorf("the first acknowledged change came %s after the promotion", took)
	}
	clients.stop()
	client := node.IAM(acc.Root())
	clients.acknowledged.Range(func(name, _ any) bool {
		n := name.(string)
		if _, err := client.GetUser(t.Context(), &iam.GetUserInput{UserName: &n}); err != nil {
			t.Errorf("%s was acknowledged: %v", n, err)
		}
		return true
	})
}

// creators are clients that create users one after the other, whatever the
// answers.
type creators struct {
	acknowledged sync.Map // name to the time of the answer
	last         [8]atomic.Int64
	cancel       context.CancelFunc
	wait         sync.WaitGroup
}

func startCreators(t *testing.T, node *e2etest.Process, acc e2etest.Account) *creators {
	c := &creators{}
	ctx, cancel := context.WithCancel(t.Context())
	c.cancel = cancel
	t.Cleanup(c.stop)
	for i := range c.last {
		client := node.IAM(acc.Root())
		c.wait.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				name := fmt.Sprintf("u%d-%d", i, n)
				_, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: &name})
				if err == nil {
					now := time.Now()
					c.acknowledged.Store(name, now)
					c.last[i].Store(now.UnixNano())
					continue
				}
				if code, ok := e2etest.ErrorCode(err); ok && code != "ServiceUnavailable" {
					t.Errorf("%s: %v", name, err)
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	return c
}

func (c *creators) stop() {
	c.cancel()
	c.wait.Wait()
}

// waitForOneEach waits until each client has had a change acknowledged after a
// time.
func (c *creators) waitForOneEach(t *testing.T, after time.Time) {
	t.Helper()
	for i := range c.last {
		for end := time.Now().Add(time.Minute); c.last[i].Load() <= after.UnixNano(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("client %d has had no change acknowledged", i)
			}
		}
	}
}

// earliest returns how long after a time the first change was acknowledged.
func (c *creators) earliest(after time.Time) time.Duration {
	least := time.Duration(1<<63 - 1)
	c.acknowledged.Range(func(_, at any) bool {
		if took := at.(time.Time).Sub(after); took > 0 {
			least = min(least, took)
		}
		return true
	})
	return least
}

package e2etest

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// Creators are clients that create users one after the other, whatever the
// answers.
type Creators struct {
	acknowledged sync.Map // name to the time of the answer
	last         [8]atomic.Int64
	refused      atomic.Int64
	cancel       context.CancelFunc
	wait         sync.WaitGroup
}

// StartCreators starts them. The names of their users begin with prefix. An
// answer other than ServiceUnavailable fails the test.
func StartCreators(t *testing.T, node *Process, acc Account, prefix string) *Creators {
	c := &Creators{}
	ctx, cancel := context.WithCancel(t.Context())
	c.cancel = cancel
	t.Cleanup(c.Stop)
	for i := range c.last {
		client := node.IAM(acc.Root())
		c.wait.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				name := fmt.Sprintf("%s%d-%d", prefix, i, n)
				_, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: &name})
				if err == nil {
					now := time.Now()
					c.acknowledged.Store(name, now)
					c.last[i].Store(now.UnixNano())
					continue
				}
				if code, ok := ErrorCode(err); ok && code != "ServiceUnavailable" {
					t.Errorf("%s: %v", name, err)
				}
				c.refused.Add(1)
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	return c
}

// Stop ends the clients.
func (c *Creators) Stop() {
	c.cancel()
	c.wait.Wait()
}

// WaitForOneEach waits until each client has had a change acknowledged after a
// time.
func (c *Creators) WaitForOneEach(t *testing.T, after time.Time) {
	t.Helper()
	for i := range c.last {
		for end := time.Now().Add(time.Minute); c.last[i].Load() <= after.UnixNano(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("client %d has had no change acknowledged", i)
			}
		}
	}
}

// Earliest returns how long after a time the first change was acknowledged.
func (c *Creators) Earliest(after time.Time) time.Duration {
	least := time.Duration(math.MaxInt64)
	c.acknowledged.Range(func(_, at any) bool {
		if took := at.(time.Time).Sub(after); took > 0 {
			least = min(least, took)
		}
		return true
	})
	return least
}

// Check reads each acknowledged user by its name, with a client that tries again.
// It returns how many there are, and how many calls were refused.
func (c *Creators) Check(t *testing.T, node *Process, acc Account) (acknowledged, refused int) {
	t.Helper()
	patient := Config(node.URL, acc.Root(), Transport(t))
	patient.Retryer = nil
	client := iam.NewFromConfig(patient)
	c.acknowledged.Range(func(name, _ any) bool {
		n := name.(string)
		if _, err := client.GetUser(t.Context(), &iam.GetUserInput{UserName: &n}); err != nil {
			t.Errorf("%s was acknowledged: %v", n, err)
		}
		acknowledged++
		return true
	})
	return acknowledged, int(c.refused.Load())
}

//go:build failover

package failover

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/jackc/pgx/v5"

	"rollcall/internal/e2e/e2etest"
)

// observer asks each server all the time whether it accepts changes.
type observer struct {
	mu sync.Mutex
	// standby is the time at which each server was last known to be none that
	// accepts changes, and promoted the time of the first answer after it that
	// said otherwise.
	standby, promoted [3]time.Time
	// gone is the time since which a primary has given no answer, or has said
	// that it accepts no change.
	gone [3]time.Time
}

func observe(t *testing.T, c *cluster) *observer {
	o := &observer{}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i, h := range c.hosts {
		all.Go(func() { o.watch(ctx, i, h) })
	}
	t.Cleanup(func() {
		cancel()
		all.Wait()
	})
	return o
}

func (o *observer) watch(ctx context.Context, i int, h *host) {
	var server *pgx.Conn
	for ; ctx.Err() == nil; time.Sleep(15 * time.Millisecond) {
		asked := time.Now()
		within, cancel := context.WithTimeout(ctx, time.Second)
		var err error
		standby := true
		if server == nil {
			server, err = pgx.Connect(within, "postgres://postgres@"+h.address+"/postgres?sslmode=disable")
		}
		if err == nil {
			err = server.QueryRow(within, "SELECT pg_is_in_recovery()").Scan(&standby)
		}
		cancel()
		if err != nil {
			if server != nil {
				_ = server.Close(within)
				server = nil
			}
			time.Sleep(200 * time.Millisecond) // it starts, or is down
		}
		o.mu.Lock()
		if accepts := err == nil && !standby; accepts {
			o.gone[i] = time.Time{}
		} else if o.gone[i].IsZero() {
			o.gone[i] = time.Now()
		}
		switch {
		case err != nil: // it says nothing
		case standby:
			o.standby[i], o.promoted[i] = asked, time.Time{}
		case o.promoted[i].IsZero():
			o.promoted[i] = time.Now()
		}
		o.mu.Unlock()
	}
}

// promotion waits until a server that was a standby at a time has been
// promoted. It returns when that was: after the first time, and before the
// second.
func (o *observer) promotion(t *testing.T, since time.Time) (after, before time.Time) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		o.mu.Lock()
		for i := range o.promoted {
			if o.promoted[i].After(since) {
				defer o.mu.Unlock()
				return o.standby[i], o.promoted[i]
			}
		}
		o.mu.Unlock()
	}
	t.Fatal("no server has been promoted")
	return after, before
}

// stopped is longer than the sessions of a server that stops live after each
// other.
const stopped = 100 * time.Millisecond

// oldGone returns a time at which an old primary certainly served nobody any
// more, zero if it still says that it accepts changes.
func (o *observer) oldGone(c *cluster, primary *host) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	gone := o.gone[slices.Index(c.hosts[:], primary)]
	if gone.IsZero() {
		return gone
	}
	return gone.Add(stopped)
}

// readers use a key on each node all the time.
type readers struct {
	mu    sync.Mutex
	calls []read // those that succeeded
}

type read struct{ begin, end time.Time }

func startReaders(ctx context.Context, k e2etest.Key, nodes [2]*e2etest.Process, all *sync.WaitGroup) *readers {
	r := &readers{}
	for _, node := range nodes {
		client := node.STS(k)
		all.Go(func() {
			for ; ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
				begin := time.Now()
				if _, err := client.GetCallerIdentity(context.WithoutCancel(ctx), nil); err == nil {
					r.mu.Lock()
					r.calls = append(r.calls, read{begin, time.Now()})
					r.mu.Unlock()
				}
			}
		})
	}
	return r
}

// between returns how many calls began and were answered within a time.
func (r *readers) between(after, before time.Time) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.calls {
		if c.begin.After(after) && c.end.Before(before) {
			n++
		}
	}
	return n
}

// revoker creates keys, deactivates each through one node, and then uses it at
// both.
type revoker struct {
	t       *testing.T
	acc     e2etest.Account
	revoked atomic.Int64
}

func startRevoker(ctx context.Context, t *testing.T, acc e2etest.Account, nodes [2]*e2etest.Process,
	all *sync.WaitGroup) *revoker {
	r := &revoker{t: t, acc: acc}
	for i := range nodes {
		at, other := nodes[i], nodes[1-i]
		client := at.IAM(acc.Root())
		user := fmt.Sprintf("revoked-%d", i)
		all.Go(func() {
			for first := true; ctx.Err() == nil; first = false {
				if first {
					untilDone(ctx, func() error {
						_, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: &user})
						return err
					})
				}
				r.once(ctx, client, user, at, other)
				time.Sleep(50 * time.Millisecond)
			}
		})
	}
	return r
}

// untilDone repeats a call until it succeeds, or somebody has done it already.
func untilDone(ctx context.Context, call func() error) {
	for ctx.Err() == nil {
		if code := e2etest.CodeOf(call()); code == "" || code == "EntityAlreadyExists" || code == "NoSuchEntity" {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (r *revoker) once(ctx context.Context, client *iam.Client, user string, at, other *e2etest.Process) {
	out, err := client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &user})
	if err != nil {
		r.removeKeys(ctx, client, user)
		return
	}
	k := e2etest.Key{ID: *out.AccessKey.AccessKeyId, Secret: *out.AccessKey.SecretAccessKey}
	untilUsed := time.Now().Add(time.Second)
	for e2etest.Signs(ctx, other.URL, k, e2etest.SharedClient) != nil && time.Now().Before(untilUsed) {
	}
	untilDone(ctx, func() error {
		_, err := client.UpdateAccessKey(ctx,
			&iam.UpdateAccessKeyInput{UserName: &user, AccessKeyId: &k.ID, Status: types.StatusTypeInactive})
		return err
	})
	for range 10 {
		for _, node := range []*e2etest.Process{other, at} {
			if ctx.Err() == nil && e2etest.Signs(ctx, node.URL, k, e2etest.SharedClient) == nil {
				r.t.Errorf("the key %s signs after its deactivation was acknowledged", k.ID)
			}
		}
	}
	if ctx.Err() == nil {
		r.revoked.Add(1)
	}
	r.removeKeys(ctx, client, user)
}

// removeKeys makes room for the next key. A key whose creation was not answered
// may be there as well.
func (r *revoker) removeKeys(ctx context.Context, client *iam.Client, user string) {
	untilDone(ctx, func() error {
		keys, err := client.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: &user})
		if err != nil {
			return err
		}
		for _, k := range keys.AccessKeyMetadata {
			if _, err := client.DeleteAccessKey(ctx,
				&iam.DeleteAccessKeyInput{UserName: &user, AccessKeyId: k.AccessKeyId}); err != nil {
				return err
			}
		}
		return nil
	})
}

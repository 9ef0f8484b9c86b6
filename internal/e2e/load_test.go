package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/e2e/e2etest"
)

// loadConnections is the number of connections under load.
const loadConnections = 500

// loaded is a service with accounts that have a user.
func loaded(t *testing.T) (e2etest.Load, []string) {
	t.Helper()
	flags := []string{"--data", e2etest.DataDir(t)}
	l := e2etest.Load{Connections: loadConnections}
	for range 20 { // so many that the rate of each is below its limit
		l.Accounts = append(l.Accounts, e2etest.CreateAccount(t, flags...))
	}
	limits := []string{"--rate-limit", "1000", "--account-rate-limit", "2000"}
	l.Node = e2etest.ServeWithLimits(t, append(limits, flags...)...)
	for _, a := range l.Accounts {
		_, err := l.Node.IAM(a.Root()).CreateUser(t.Context(),
			&iam.CreateUserInput{UserName: aws.String(e2etest.LoadUser)})
		e2etest.Must(t, err)
	}
	return l, flags
}

// top returns the number of calls per second that the service answers at most.
func top(t *testing.T, l e2etest.Load, lasts time.Duration) float64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	o := l.Run(ctx)
	t.Logf("at the top rate: %s", o)
	if len(o.Refused)+len(o.Broken) > 0 {
		t.Errorf("at the top rate calls failed")
	}
	return o.Rate()
}

// TestSteadyLoad has 500 connections of several accounts send calls at 80% of the top
// rate, for a second or for -soak. No call fails, and memory does not grow.
func TestSteadyLoad(t *testing.T) {
	l, flags := loaded(t)
	warm, lasts := time.Second/2, time.Second
	if *e2etest.Soak > 0 {
		warm, lasts = 20*time.Second, *e2etest.Soak
	}
	l.Rate = 0.8 * top(t, l, warm)
	m := &measuring{t: t, node: l.Node, flags: flags, every: min(lasts/40, 15*time.Second), lasts: lasts}
	before := m.now()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var watching sync.WaitGroup
	watching.Go(func() {
		defer cancel()
		m.watch(ctx)
	})
	o := l.Run(ctx)
	watching.Wait()
	t.Logf("at 80%% of it: %s\n%s", o, m)
	if len(o.Refused)+len(o.Broken) > 0 {
		t.Errorf("at 80%% of the top rate calls failed")
	}
	memory, descriptors := columns[0], columns[1]
	quarter := len(m.all) / 4
	early, late := most(m.all[quarter:2*quarter], memory.of), most(m.all[3*quarter:], memory.of)
	if late > early+early/4+memory.slack {
		t.Errorf("%d bytes before, %d in the second quarter of the time, %d in the last", before.resident, early, late)
	}
	// A connection is open only while calls wait for it, so few are open at first.
	if got := most(m.all, descriptors.of); got > before.descriptors+loadConnections+descriptors.slack {
		t.Errorf("%d descriptors before, %d with %d connections", before.descriptors, got, loadConnections)
	}
}

// TestOverload has one account send five times what the service can answer, over
// 500 connections. The service refuses it as AWS does, continues to answer another
// account, and uses limited memory. Afterwards it answers the account again.
func TestOverload(t *testing.T) {
	l, flags := loaded(t)
	warm, lasts := time.Second/2, time.Second
	if *e2etest.Soak > 0 {
		warm, lasts = 10*time.Second, min(*e2etest.Soak, 2*time.Minute)
	}
	rate := top(t, l, warm)
	flood, other := l, l.Accounts[1]
	flood.Accounts, flood.AtOnce, flood.Rate = l.Accounts[:1], 16, 5*rate
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	m := &measuring{t: t, node: l.Node, flags: flags, every: min(lasts/40, 15*time.Second)}
	before := m.now()
	var others sync.WaitGroup
	var behaved *bystanders
	others.Go(func() { m.watch(ctx) })
	others.Go(func() { behaved = standBy(ctx, t, l.Node, other) })
	o := flood.Run(ctx)
	others.Wait()
	t.Logf("five times the top rate, %.0f calls/s, from one account: %s", flood.Rate, o)
	t.Logf("another account: %s", behaved)
	for code := range o.Refused {
		if code != "Throttling" {
			t.Errorf("the flood was answered %s", code)
		}
	}
	if o.Refused["Throttling"] == 0 || len(o.Broken) > 0 {
		t.Errorf("%d calls of the flood were refused, %d broken", o.Refused["Throttling"], len(o.Broken))
	}
	if got := behaved.within(0.99); got > 5*time.Second {
		t.Errorf("99%% of the calls of another account were answered within %v", got)
	}
	if got := most(m.all, columns[0].of); got > before.resident+128<<20 {
		t.Errorf("%d bytes resident, %d before", got, before.resident)
	}
	began := time.Now()
	client := l.Node.IAM(l.Accounts[0].Root())
	for _, err := client.GetUser(t.Context(), nil); err != nil; _, err = client.GetUser(t.Context(), nil) {
		if time.Since(began) > 5*time.Second {
			t.Fatalf("the account is still refused: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("the flooding account was served again after %v", time.Since(began).Round(time.Millisecond))
}

// bystanders are callers of another account.
type bystanders struct {
	mu   sync.Mutex
	took []time.Duration
}

// standBy runs eight clients, each of which reads, and changes something in one
// call of four. No call may fail.
func standBy(ctx context.Context, t *testing.T, node *e2etest.Process, acc e2etest.Account) *bystanders {
	b := &bystanders{}
	var all sync.WaitGroup
	for range 8 {
		client := node.IAM(acc.Root())
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				began := time.Now()
				var err error
				if n%4 == 0 {
					_, err = client.PutUserPolicy(context.WithoutCancel(ctx), &iam.PutUserPolicyInput{
						UserName: aws.String(e2etest.LoadUser), PolicyName: aws.String("p"), PolicyDocument: aws.String(
							`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)})
				} else {
					_, err = client.GetUser(context.WithoutCancel(ctx), nil)
				}
				if err != nil {
					t.Errorf("another account: %v", err)
				}
				b.mu.Lock()
				b.took = append(b.took, time.Since(began))
				b.mu.Unlock()
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	all.Wait()
	slices.Sort(b.took)
	return b
}

func (b *bystanders) within(share float64) time.Duration {
	return b.took[int(share*float64(len(b.took)-1))]
}

func (b *bystanders) String() string {
	return fmt.Sprintf("%d calls, half of them within %v, 99%% within %v, all within %v", len(b.took),
		b.within(0.5).Round(time.Millisecond), b.within(0.99).Round(time.Millisecond),
		b.within(1).Round(time.Millisecond))
}

// TestClientsBackOff has clients of one user call more often than they may. They
// wait as the answers say, and all of their calls succeed.
func TestClientsBackOff(t *testing.T) {
	t.Parallel()
	flags := []string{"--data", e2etest.DataDir(t)}
	acc := e2etest.CreateAccount(t, flags...)
	node := e2etest.ServeWithLimits(t, append(flags, "--rate-limit", "20", "--rate-burst", "4")...)
	cfg := e2etest.Config(node.URL, acc.Root(), e2etest.Transport(t))
	cfg.Retryer = func() aws.Retryer { return retry.AddWithMaxAttempts(retry.NewStandard(), 10) }
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			client := iam.NewFromConfig(cfg)
			for range 5 {
				if _, err := client.GetUser(t.Context(), nil); err != nil {
					t.Errorf("a client that waits: %v", err)
				}
			}
		})
	}
	all.Wait()
	if _, text := e2etest.Get(t, node.Admin+"/metrics"); !strings.Contains(text, `code="Throttling"`) {
		t.Error("no call was refused")
	}
}

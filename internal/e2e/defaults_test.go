package e2e

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/internal/e2e/e2etest"
)

// The limits that the service has if nobody sets others. See docs/operations.md.
const (
	defaultRate, defaultBurst   = 8000, 240_000
	strangerRate, strangerBurst = 100, 1000
)

// TestFloodByDefault floods a service that has its limits by default, over real
// connections: from ten sessions of one user, and from ten users of one account.
// All of them together get what one may have, and another account is served as
// before. Each kind of callers meets one limit, because the other is off. Whether the
// limit is reached depends on the machine, which must answer more calls than it
// admits; with -soak, callers go on until it is, for two minutes at most.
func TestFloodByDefault(t *testing.T) {
	t.Run("sessions of a user", func(t *testing.T) {
		var key e2etest.Key
		floodByDefault(t, "--account-rate-limit", func(node *e2etest.Process, a e2etest.Account, i int) e2etest.Account {
			if i == 0 {
				key = e2etest.CreateKey(t, node, a, "ann")
			}
			out, err := node.STS(key).GetSessionToken(t.Context(), nil)
			e2etest.Must(t, err)
			return e2etest.Account{AccountID: a.AccountID, AccessKeyID: *out.Credentials.AccessKeyId,
				SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}
		})
	})
	t.Run("users of an account", func(t *testing.T) {
		floodByDefault(t, "--rate-limit", func(node *e2etest.Process, a e2etest.Account, i int) e2etest.Account {
			key := e2etest.CreateKey(t, node, a, "user-"+strconv.Itoa(i))
			return e2etest.Account{AccountID: a.AccountID, AccessKeyID: key.ID, SecretAccessKey: key.Secret}
		})
	})
}

// floodByDefault floods from ten callers of an account, which caller makes.
func floodByDefault(t *testing.T, off string,
	caller func(node *e2etest.Process, a e2etest.Account, i int) e2etest.Account) {
	flags := []string{"--data", e2etest.DataDir(t)}
	a, other := e2etest.CreateAccount(t, flags...), e2etest.CreateAccount(t, flags...)
	node := e2etest.ServeWithLimits(t, append(flags, off, "0")...)
	e2etest.CreateKey(t, node, other, e2etest.LoadUser)
	flood := e2etest.Load{Node: node, Connections: 200, AtOnce: 32,
		Calls: []e2etest.Call{{Service: "sts", Form: "Action=GetCallerIdentity&Version=2011-06-15"}}}
	for i := range 10 {
		flood.Accounts = append(flood.Accounts, caller(node, a, i))
	}
	lasts := time.Second
	if *e2etest.Soak > 0 {
		lasts = min(*e2etest.Soak, 2*time.Minute)
	}
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	var behaved *bystanders
	var others sync.WaitGroup
	others.Go(func() { behaved = standBy(ctx, t, node, other) })
	o := flood.Run(ctx)
	others.Wait()
	t.Logf("ten callers: %d calls succeeded; %s", o.Succeeded, o)
	t.Logf("another account: %s", behaved)
	if most := defaultBurst + defaultRate*(o.Took.Seconds()+1); float64(o.Succeeded) > most {
		t.Errorf("%d calls succeeded in %v, at most %.0f are admitted", o.Succeeded, o.Took, most)
	}
	refused := o.Refused["Throttling"]
	if len(o.Broken) > 0 || len(o.Refused) > 1 || len(o.Refused) == 1 && refused == 0 {
		t.Errorf("refused %v, broken %v", o.Refused, o.Broken)
	}
	if got := behaved.within(0.99); got > 5*time.Second {
		t.Errorf("99%% of the calls of another account were answered within %v", got)
	}
	if fast := o.Rate() > 1.2*defaultRate+defaultBurst/lasts.Seconds(); refused == 0 && *e2etest.Soak > 0 {
		if fast {
			t.Errorf("%.0f calls a second and none was refused", o.Rate())
		}
		t.Logf("LIMIT NOT REACHED: this machine answers %.0f calls a second, which the default admits", o.Rate())
	}
	strangersFlood(t, node, other)
}

// strangersFlood has calls with wrong signatures come from the address of
// everybody. Few of them are verified, and calls with valid signatures are served.
func strangersFlood(t *testing.T, node *e2etest.Process, a e2etest.Account) {
	t.Helper()
	wrong := a
	wrong.SecretAccessKey = strings.Repeat("x", len(a.SecretAccessKey))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var behaved *bystanders
	var others sync.WaitGroup
	others.Go(func() { behaved = standBy(ctx, t, node, a) })
	o := e2etest.Load{Node: node, Accounts: []e2etest.Account{wrong}, Connections: 20, AtOnce: 16}.Run(ctx)
	others.Wait()
	t.Logf("wrong signatures: %s", o)
	t.Logf("the same address, with valid ones: %s", behaved)
	verified := o.Refused["SignatureDoesNotMatch"]
	if most := strangerBurst + strangerRate*(o.Took.Seconds()+1); verified == 0 || float64(verified) > most {
		t.Errorf("%d wrong signatures were answered as such, at most %.0f may be", verified, most)
	}
	if o.Succeeded > 0 || o.Refused["Throttling"] == 0 || len(o.Broken) > 0 {
		t.Errorf("%d wrong signatures succeeded, refused %v, broken %v", o.Succeeded, o.Refused, o.Broken)
	}
}

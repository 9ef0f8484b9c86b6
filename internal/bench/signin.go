package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"rollcall/internal/api"
	"rollcall/internal/hashing"
	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/server"
	"rollcall/internal/service"
	"rollcall/internal/signin"
	"rollcall/internal/sigv4/sigv4test"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// signIns is the number of attackers who try passwords at the same time.
const signIns = 64

// signIn measures signed calls while many attackers try passwords, each for
// another user from another address, so that no pause delays them. The service
// runs within this program, because the console would only see one address. A
// process of the binary hashes passwords, as for 'serve'.
func (b *bench) signIn(ctx context.Context) error {
	dir := filepath.Join(b.dir, "sign-in")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	passwords := hashing.New(b.binary, slog.New(slog.DiscardHandler))
	defer passwords.Close()
	s, err := service.Open(ctx, service.Config{
		Store: store.Config{Path: filepath.Join(dir, "rollcall.db")}, Master: seal.InMemoryMasterKeys(),
		Trail: trail.New(discard{}), Derive: passwords.Derive, Hashes: passwords.Workers(),
	})
	if err != nil {
		return err
	}
	account, err := s.IAM.CreateAccount(ctx, identity.AccountSpec{})
	if err != nil {
		return errors.Join(err, s.Close())
	}
	l, err := server.Listen("127.0.0.1:0", nil, false)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(serving, l, s.Handler, slog.New(slog.DiscardHandler), time.Second) }()
	t := target{l.Addr().String(), sigv4test.Credentials{
		AccessKeyID: account.RootKey.ID, SecretAccessKey: account.RootKey.Secret.Reveal(),
	}}
	err = b.signInBeside(ctx, s.SignIn, account.ID, t)
	stop()
	return errors.Join(err, <-ended, s.Close())
}

// discard is a trail that is on and costs nothing.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func (b *bench) signInBeside(ctx context.Context, people *signin.Service, account string, t target) error {
	const each = 4 * time.Second
	var quiet, flooded []time.Duration
	tried := 0
	for range b.runs {
		q, err := t.slowest(each)
		if err != nil {
			return err
		}
		flooding, stop := context.WithCancel(ctx)
		counted := make(chan int, 1)
		go func() { counted <- flood(flooding, people, account) }()
		f, err := t.slowest(each)
		stop()
		tried += <-counted
		if err != nil {
			return err
		}
		quiet, flooded = append(quiet, q), append(flooded, f)
	}
	q, f := median(quiet), median(flooded)
	ratio := float64(f) / float64(q)
	b.row("sign-in", fmt.Sprintf("p99 of GetUser beside %d wrong passwords at one time", signIns),
		fmt.Sprintf("%.1f × %.2f ms, %.0f hashes/s", ratio, float64(q.Microseconds())/1000,
			float64(tried)/each.Seconds()/float64(b.runs)),
		"3 × quiet", ratio <= 3)
	return nil
}

// flood tries wrong passwords until ctx ends, and returns how many were hashed.
func flood(ctx context.Context, people *signin.Service, account string) (hashed int) {
	var mu sync.Mutex
	var wait sync.WaitGroup
	for stranger := range signIns {
		wait.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				v := signin.Visit{Call: api.Call{SourceIP: fmt.Sprintf("2001:db8:%x:%x::1", stranger, i)}}
				_, err := people.Begin(ctx, v, signin.Attempt{
					Account: account + fmt.Sprint(stranger, i), User: fmt.Sprint("user", i),
					Password: seal.NewSecret("wrong"),
				})
				if errors.Is(err, signin.ErrWrong) {
					mu.Lock()
					hashed++
					mu.Unlock()
					continue
				}
				time.Sleep(10 * time.Millisecond) // the time of an answer
			}
		})
	}
	wait.Wait()
	return hashed
}

// slowest returns the 99th percentile of the time of one client's calls.
func (t target) slowest(d time.Duration) (time.Duration, error) {
	c := &client{Addr: t.addr}
	defer c.Close()
	request := t.request("iam", "Action=GetUser&Version=2010-05-08")
	var took []time.Duration
	for start := time.Now(); time.Since(start) < d; {
		begin := time.Now()
		if err := want(c.Do(request, nil)); err != nil {
			return 0, err
		}
		took = append(took, time.Since(begin))
		time.Sleep(time.Millisecond)
	}
	slices.Sort(took)
	return took[len(took)*99/100], nil
}

package main

import (
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/sigv4/sigv4test"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// served starts the service on a SQLite file in this process, for profiles.
func served(b *testing.B) target {
	dir := b.TempDir()
	t, err := trail.Open(filepath.Join(dir, "trail.jsonl"))
	if err != nil {
		b.Fatal(err)
	}
	s, err := service.Open(b.Context(), service.Config{
		Store: store.Config{Path: filepath.Join(dir, "rollcall.db")}, Master: seal.InMemoryMasterKeys(), Trail: t,
	})
	if err != nil {
		b.Fatal(err)
	}
	a, err := s.IAM.CreateAccount(b.Context(),
		identity.AccountSpec{ID: account, Limits: map[string]int{"UsersPerAccount": 1_000_000_000}})
	if err != nil {
		b.Fatal(err)
	}
	l := httptest.NewServer(s.Handler)
	b.Cleanup(func() {
		l.Close()
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return target{strings.TrimPrefix(l.URL, "http://"),
		sigv4test.Credentials{AccessKeyID: a.RootKey.ID, SecretAccessKey: a.RootKey.Secret.Reveal()}}
}

// parallel runs step from 8 clients.
func parallel(b *testing.B, t target, step func(c *client) error) {
	b.SetParallelism(clients / 2)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		c := &client{Addr: t.addr}
		defer c.Close()
		for pb.Next() {
			if err := step(c); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkGetUser(b *testing.B) {
	t := served(b)
	if _, err := t.call("iam", "Action=CreateUser&Version=2010-05-08&UserName=alice"); err != nil {
		b.Fatal(err)
	}
	request := t.request("iam", "Action=GetUser&Version=2010-05-08&UserName=alice")
	parallel(b, t, func(c *client) error { return want(c.Do(request, nil)) })
}

func BenchmarkCreateUserAndKey(b *testing.B) {
	t := served(b)
	var n atomic.Int64
	parallel(b, t, func(c *client) error {
		name := fmt.Sprintf("u%d", n.Add(1))
		if err := want(c.Do(t.request("iam", "Action=CreateUser&Version=2010-05-08&UserName="+name), nil)); err != nil {
			return err
		}
		return want(c.Do(t.request("iam", "Action=CreateAccessKey&Version=2010-05-08&UserName="+name), nil))
	})
}

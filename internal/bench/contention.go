package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// contention measures CreateUser of one account on PostgreSQL with many
// clients, on one node and on two.
func (b *bench) contention(ctx context.Context) error {
	for _, c := range []struct{ nodes, clients int }{{1, 32}, {1, 200}, {2, 32}, {2, 200}} {
		rate, failed, err := b.contend(ctx, c.nodes, c.clients)
		if err != nil {
			return err
		}
		b.row("contention", fmt.Sprintf("CreateUser on PostgreSQL, %d clients, %d nodes", c.clients, c.nodes),
			fmt.Sprintf("%.0f/s, %d failed", rate, failed), "1500/s, 0 failed", rate >= 1500 && failed == 0)
	}
	return nil
}

func (b *bench) contend(ctx context.Context, nodes, clients int) (rate float64, failed int64, err error) {
	pg, err := postgres(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = pg.Stop() }()
	dir := filepath.Join(b.dir, fmt.Sprintf("contention-%d-%d", nodes, clients))
	defer os.RemoveAll(dir)
	r, err := newRollcallOn(ctx, b.binary, dir, pg.URL)
	if err != nil {
		return 0, 0, err
	}
	var targets []*process
	for range nodes {
		p, err := r.serve()
		if err != nil {
			return 0, 0, err
		}
		defer p.stop()
		targets = append(targets, p)
	}
	const each = 4 * time.Second
	return b.createUsers(targets, clients, each)
}

// createUsers spreads the clients over the nodes. Its requests are signed in
// advance. Clients continue after a failure, and count it.
func (b *bench) createUsers(nodes []*process, clients int, d time.Duration) (rate float64, failed int64, err error) {
	perClient := 40_000 / clients
	requests := make([][][]byte, clients)
	for w := range requests {
		for i := range perClient {
			requests[w] = append(requests[w], nodes[w%len(nodes)].request("iam",
				fmt.Sprintf("Action=CreateUser&Version=2010-05-08&UserName=u%d-%d", w, i)))
		}
	}
	var done, bad atomic.Int64
	var wait sync.WaitGroup
	start := time.Now()
	for w := range clients {
		wait.Go(func() {
			c := &client{Addr: nodes[w%len(nodes)].addr}
			defer c.Close()
			for i := 0; i < perClient && time.Since(start) < d; i++ {
				if want(c.Do(requests[w][i], nil)) != nil {
					bad.Add(1)
				} else {
					done.Add(1)
				}
			}
		})
	}
	wait.Wait()
	return float64(done.Load()) / time.Since(start).Seconds(), bad.Load(), nil
}

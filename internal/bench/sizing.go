package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// sizes are the numbers of users for which sizing measures.
var sizes = []int{1_000, 10_000, 100_000}

// sizing measures what an installation of some size needs: disk for each user and
// report, memory, and what it answers in a second.
func (b *bench) sizing(ctx context.Context) error {
	for _, users := range sizes {
		if err := b.sizeOf(ctx, users); err != nil {
			return fmt.Errorf("%d users: %w", users, err)
		}
	}
	return nil
}

func (b *bench) sizeOf(ctx context.Context, users int) error {
	r, err := b.seeded(ctx, fmt.Sprintf("sizing-%d", users), users, "")
	if err != nil {
		return err
	}
	defer os.RemoveAll(r.dir)
	before, err := reportBytes(ctx, r.config())
	if err != nil {
		return err
	}
	p, err := r.serve()
	if err != nil {
		return err
	}
	defer p.stop()
	took, err := made(p.target)
	if err != nil {
		return err
	}
	after, err := reportBytes(ctx, r.config())
	if err != nil {
		return err
	}
	show := func(figure, format string, values ...any) {
		b.row("sizing", fmt.Sprintf("%d users: %s", users, figure), fmt.Sprintf(format, values...), "", true)
	}
	show("database, for each user", "%d bytes", before/int64(users))
	show("whole report, for each user", "%d bytes, %.1f s", (after-before)/int64(users), took.Seconds())
	if err := b.answered(r, p, show); err != nil {
		return err
	}
	show("memory, the most", "%.0f MiB", p.peak())
	return nil
}

// answered measures the calls of a second, and their records.
func (b *bench) answered(r *rollcall, p *process, show func(figure, format string, values ...any)) error {
	const d = 4 * time.Second
	get := p.request("iam", "Action=GetUser&Version=2010-05-08&UserName=user-0000007")
	start := trailSize(r)
	reads, err := p.rate(clients, d, func(c *client, _, _ int) error { return want(c.Do(get, nil)) })
	if err != nil {
		return err
	}
	show("GetUser, 8 clients", "%.0f/s, %.0f bytes of trail each", reads,
		float64(trailSize(r)-start)/(reads*d.Seconds()))
	writes, err := p.rate(clients, d, func(c *client, worker, i int) error {
		name := fmt.Sprintf("sized-%d-%d", worker, i)
		return want(c.Do(p.request("iam", "Action=CreateUser&Version=2010-05-08&UserName="+name), nil))
	})
	if err != nil {
		return err
	}
	show("CreateUser, 8 clients", "%.0f/s", writes)
	return nil
}

func trailSize(r *rollcall) int64 {
	info, err := os.Stat(filepath.Join(r.dir, "trail.jsonl"))
	if err != nil {
		return 0
	}
	return info.Size()
}

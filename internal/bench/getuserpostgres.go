package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// getUserPostgres measures GetUser by root on PostgreSQL, alternating with
// SQLite, and the processor time of a call on each side.
func (b *bench) getUserPostgres(ctx context.Context) error {
	server, err := postgres(ctx)
	if err != nil {
		return err
	}
	err = b.getUserBeside(ctx, server.URL, server.Pid())
	return errors.Join(err, server.Stop())
}

func (b *bench) getUserBeside(ctx context.Context, url string, pid int) error {
	var served []*process
	for _, url := range []string{"", url} {
		p, end, err := b.serving(ctx, fmt.Sprintf("get-user-%d", len(served)), url)
		if err != nil {
			return err
		}
		defer end()
		if _, err := p.call("iam", "Action=CreateUser&Version=2010-05-08&UserName=alice"); err != nil {
			return err
		}
		served = append(served, p)
	}
	const form = "Action=GetUser&Version=2010-05-08&UserName=alice"
	var lite, post, ratios []float64
	var calls float64
	var ours, theirs time.Duration
	for range b.runs {
		x, err := served[0].sameCall(form)
		if err != nil {
			return err
		}
		start, before, beforeServer := time.Now(), processorTime(served[1].Cmd.Process.Pid), processorTime(pid)
		y, err := served[1].sameCall(form)
		if err != nil {
			return err
		}
		calls += y * time.Since(start).Seconds()
		ours += processorTime(served[1].Cmd.Process.Pid) - before
		theirs += processorTime(pid) - beforeServer
		lite, post, ratios = append(lite, x), append(post, y), append(ratios, y/x)
	}
	rate, ratio := median(post), median(ratios)
	b.row("get-user-postgres", "GetUser by root on PostgreSQL, 8 clients",
		fmt.Sprintf("%.0f/s = %.2f × SQLite's (%.0f/s); a call: %s of rollcall, %s of PostgreSQL", rate, ratio,
			median(lite), micros(ours, calls), micros(theirs, calls)),
		"6000/s, 0.5 × SQLite's", rate >= 6000 && ratio >= 0.5)
	return nil
}

package main

import (
	"context"
	"fmt"
	"time"

	"rollcall/internal/sigv4/sigv4test"
)

const clients = 8

// start measures from the start of the process to the first answer.
func (b *bench) start(context.Context) error {
	ours, err := b.firstAnswer(func() (*process, error) {
		addr := freeAddr()
		return start(addr, sigv4test.Credentials{AccessKeyID: "test", SecretAccessKey: "test"},
			[]string{"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY="}, b.binary, "dev", "--listen", addr)
	}, 3*b.runs)
	if err != nil {
		return err
	}
	measured := fmt.Sprintf("%.1f ms", ours.Seconds()*1000)
	goal, reached := "100 ms", ours <= 100*time.Millisecond
	if b.moto {
		theirs, err := b.firstAnswer(func() (*process, error) { return moto(0) }, b.runs)
		if err != nil {
			return err
		}
		measured += fmt.Sprintf(" (moto %.0f ms, %.1f times)", theirs.Seconds()*1000, float64(theirs)/float64(ours))
		goal, reached = "1/40 of moto's", 40*ours <= theirs
	}
	b.row("start", "start to first answer, dev", measured, goal, reached)
	return nil
}

func (b *bench) firstAnswer(start func() (*process, error), runs int) (time.Duration, error) {
	var all []time.Duration
	for range runs {
		begin := time.Now()
		p, err := start()
		if err != nil {
			return 0, err
		}
		_, err = p.call("sts", "Action=GetCallerIdentity&Version=2011-06-15")
		all = append(all, time.Since(begin))
		p.stop()
		if err != nil {
			return 0, err
		}
	}
	return median(all), nil
}

// against measures one of our rates and moto's, alternately, and adds the row.
func (b *bench) against(
	ctx context.Context, name, figure string, factor float64, d time.Duration,
	measure func(t target, d time.Duration) (float64, error),
) error {
	ours, end, err := b.serving(ctx, name, "")
	if err != nil {
		return err
	}
	defer end()
	var theirs *process
	if b.moto {
		if theirs, err = moto(0); err != nil {
			return err
		}
		defer theirs.stop()
	}
	var a, m, ratios []float64
	for range b.runs {
		x, err := measure(ours.target, d)
		if err != nil {
			return err
		}
		a = append(a, x)
		if theirs == nil {
			continue
		}
		y, err := measure(theirs.target, d)
		if err != nil {
			return fmt.Errorf("moto: %w", err)
		}
		m, ratios = append(m, y), append(ratios, x/y)
	}
	if theirs == nil {
		b.row(name, figure, fmt.Sprintf("%.0f/s", median(a)), "", true)
		return nil
	}
	ratio := median(ratios)
	b.row(name, figure, fmt.Sprintf("%.0f/s = %.0f × moto (%.0f/s)", median(a), ratio, median(m)),
		fmt.Sprintf("%.0f × moto", factor), ratio >= factor)
	return nil
}

// getUser measures signed and verified reads.
func (b *bench) getUser(ctx context.Context) error {
	return b.against(ctx, "get-user", "GetUser, signed, over HTTP, 8 clients", 25, 4*time.Second,
		func(t target, d time.Duration) (float64, error) {
			if _, err := t.call("iam", "Action=GetUser&Version=2010-05-08&UserName=alice"); err != nil {
				if _, err := t.call("iam", "Action=CreateUser&Version=2010-05-08&UserName=alice"); err != nil {
					return 0, err
				}
			}
			request := t.request("iam", "Action=GetUser&Version=2010-05-08&UserName=alice")
			return t.rate(clients, d, func(c *client, _, _ int) error { return want(c.Do(request, nil)) })
		})
}

// create measures durable writes: a user and an access key for it. Requests are
// signed in advance, so that the client's work is not measured.
func (b *bench) create(ctx context.Context) error {
	const pairs = 4000 // for each client; more than one run can send
	run := 0
	return b.against(ctx, "create", "CreateUser + CreateAccessKey, durable, 8 clients", 20, 4*time.Second,
		func(t target, d time.Duration) (float64, error) {
			run++
			requests := make([][][2][]byte, clients)
			for worker := range requests {
				for i := range pairs {
					name := fmt.Sprintf("u%d-%d-%d", run, worker, i)
					requests[worker] = append(requests[worker], [2][]byte{
						t.request("iam", "Action=CreateUser&Version=2010-05-08&UserName="+name),
						t.request("iam", "Action=CreateAccessKey&Version=2010-05-08&UserName="+name),
					})
				}
			}
			return t.rate(clients, d, func(c *client, worker, i int) error {
				if i == pairs {
					return fmt.Errorf("more than %d pairs in %s: sign more", pairs, d)
				}
				if err := want(c.Do(requests[worker][i][0], nil)); err != nil {
					return err
				}
				return want(c.Do(requests[worker][i][1], nil))
			})
		})
}

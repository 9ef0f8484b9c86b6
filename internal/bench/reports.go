package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// seeded creates an account with users, directly in its store. PostgreSQL gets
// it from a backup, which takes a fraction of the time.
func (b *bench) seeded(ctx context.Context, name string, users int, url string) (*rollcall, error) {
	r, err := newRollcall(ctx, b.binary, filepath.Join(b.dir, name))
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Config{Path: filepath.Join(r.dir, "rollcall.db")})
	if err != nil {
		return nil, err
	}
	if err := storetest.Seed(ctx, db, account, users); err != nil || url == "" {
		return r, errors.Join(err, db.Close())
	}
	r.store = url
	return r, errors.Join(b.move(ctx, db, url), db.Close())
}

// move copies a store into an empty PostgreSQL database.
func (b *bench) move(ctx context.Context, from *store.DB, url string) error {
	f, err := os.CreateTemp(b.dir, "backup-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := from.Backup(ctx, f, nil); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	to, err := store.Open(ctx, store.Config{URL: url})
	if err != nil {
		return err
	}
	_, err = to.Restore(ctx, f, false, nil)
	return errors.Join(err, to.Close(), settle(ctx, url))
}

// settle does immediately what PostgreSQL and the system do by themselves in the
// minutes after a bulk load, so that it is not measured: fsync waits for everything
// that is still to be written.
func settle(ctx context.Context, url string) error {
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(ctx) }()
	for _, sql := range []string{"VACUUM ANALYZE", "CHECKPOINT"} {
		if _, err := c.Exec(ctx, sql); err != nil {
			return err
		}
	}
	syscall.Sync()
	return nil
}

const generate = "Action=GenerateCredentialReport&Version=2010-05-08"

// made generates one report and returns the time from the call that starts it
// to the one that says COMPLETE.
func made(t target) (time.Duration, error) {
	c := &client{Addr: t.addr}
	defer c.Close()
	var started time.Time
	request := t.request("iam", generate) // signed once: its client shares the processors
	for {
		var body bytes.Buffer
		before := time.Now()
		if err := want(c.Do(request, &body)); err != nil {
			return 0, fmt.Errorf("%w: %s", err, body.String())
		}
		switch answer := body.String(); {
		case strings.Contains(answer, "<State>STARTED<"):
			started = before
		case strings.Contains(answer, "<State>COMPLETE<") && !started.IsZero():
			return time.Since(started), nil
		}
		time.Sleep(500 * time.Microsecond)
	}
}

// first is made of a report that uses nothing of those before it.
func first(ctx context.Context, r *rollcall, t target) (time.Duration, error) {
	db, err := store.Open(ctx, r.config())
	if err != nil {
		return 0, err
	}
	err = db.Update(ctx, func(tx *store.Tx) error { return tx.StopRecording(account) })
	if err := errors.Join(err, db.Close()); err != nil {
		return 0, err
	}
	return made(t)
}

// config leads to the store of a service.
func (r *rollcall) config() store.Config {
	if r.store != "" {
		return store.Config{URL: r.store}
	}
	return store.Config{Path: filepath.Join(r.dir, "rollcall.db")}
}

// fetched downloads the report and returns the time and the bytes it took.
func fetched(t target) (time.Duration, int64, error) {
	c := &client{Addr: t.addr}
	defer c.Close()
	start := time.Now()
	status, n, err := c.Do(t.request("iam", "Action=GetCredentialReport&Version=2010-05-08"), nil)
	return time.Since(start), n, want(status, n, err)
}

// reportTimes serves a store and generates and fetches its report several
// times, each from a service that just started.
func (b *bench) reportTimes(
	ctx context.Context, r *rollcall,
) (generate, get time.Duration, generatePeak, getPeak float64, size int64, err error) {
	var makes, gets []time.Duration
	var makePeaks, getPeaks []float64
	for range b.runs {
		p, err := r.serve("--report-max-age", "1s", "--report-history", "2")
		if err != nil {
			return 0, 0, 0, 0, 0, err
		}
		took, err := first(ctx, r, p.target)
		makes, makePeaks = append(makes, took), append(makePeaks, p.peak())
		if err == nil {
			took, size, err = fetched(p.target)
			gets, getPeaks = append(gets, took), append(getPeaks, p.peak())
		}
		p.stop()
		if err != nil {
			return 0, 0, 0, 0, 0, err
		}
		// The next run must not find this report recent enough.
		time.Sleep(time.Second)
	}
	return median(makes), median(gets), median(makePeaks), median(getPeaks), size, nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// report measures the large report from SQLite.
func (b *bench) report(ctx context.Context) error {
	r, err := b.seeded(ctx, "report", b.users, "")
	if err != nil {
		return err
	}
	defer os.RemoveAll(r.dir)
	made, got, madePeak, gotPeak, size, err := b.reportTimes(ctx, r)
	if err != nil {
		return err
	}
	of := fmt.Sprintf("report of %d users, SQLite", b.users)
	b.row("report", of+": generate", seconds(made), "2.5 s", made <= 2500*time.Millisecond)
	b.row("report", of+": peak memory, whole server", fmt.Sprintf("%.0f MiB", madePeak), "200 MiB", madePeak <= 200)
	b.row("report", fmt.Sprintf("%s: get, %d MB on the wire", of, size/1_000_000), seconds(got), "1.5 s",
		got <= 1500*time.Millisecond)
	b.row("report", of+": peak memory after get", fmt.Sprintf("%.0f MiB", gotPeak), "flat", gotPeak <= madePeak+32)
	return b.nextReports(ctx, r, "SQLite")
}

// reportMoto measures the report of 100,000 users next to moto's.
func (b *bench) reportMoto(ctx context.Context) error {
	const users = 100_000
	r, err := b.seeded(ctx, "report-moto", users, "")
	if err != nil {
		return err
	}
	defer os.RemoveAll(r.dir)
	made, got, _, peak, _, err := b.reportTimes(ctx, r)
	if err != nil {
		return err
	}
	measured := fmt.Sprintf("%s, %.0f MiB", seconds(made+got), peak)
	if b.moto {
		p, err := moto(users)
		if err != nil {
			return err
		}
		defer p.stop()
		theirs, err := several(b, func() (time.Duration, error) {
			// moto generates its report when it is fetched.
			begin := time.Now()
			if _, err := p.call("iam", generate); err != nil {
				return 0, err
			}
			_, _, err := fetched(p.target)
			return time.Since(begin), err
		})
		if err != nil {
			return err
		}
		measured += fmt.Sprintf(" (moto %s, %.0f MiB)", seconds(theirs), p.peak())
	}
	b.row("report-moto", "report of 100000 users: generate and get", measured, "", true)
	return nil
}

// reportPostgres measures the large report from PostgreSQL.
func (b *bench) reportPostgres(ctx context.Context) error {
	server, err := postgres(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = server.Stop() }()
	r, err := b.seeded(ctx, "report-postgres", b.users, server.URL)
	if err != nil {
		return err
	}
	defer os.RemoveAll(r.dir)
	made, got, peak, _, _, err := b.reportTimes(ctx, r)
	if err != nil {
		return err
	}
	of := fmt.Sprintf("report of %d users, PostgreSQL", b.users)
	b.row("report-postgres", of+": generate", seconds(made), "4 s", made <= 4*time.Second)
	b.row("report-postgres", of+": get", seconds(got), "", true)
	b.row("report-postgres", of+": peak memory, whole server", fmt.Sprintf("%.0f MiB", peak), "", true)
	return b.nextReports(ctx, r, "PostgreSQL")
}

// flat measures the cost of a user in reports of growing size. The cost of a
// small report is that of the calls, so the time for an empty account is
// subtracted.
func (b *bench) flat(ctx context.Context) error {
	empty, err := b.costOf(ctx, 0)
	if err != nil {
		return err
	}
	var costs []float64
	var texts []string
	for users := 1000; users <= b.users; users *= 10 {
		took, err := b.costOf(ctx, users)
		if err != nil {
			return err
		}
		cost := float64((took - empty).Nanoseconds()) / float64(users) / 1000
		costs = append(costs, cost)
		texts = append(texts, fmt.Sprintf("%d: %.2f", users, cost))
	}
	least, most := costs[0], costs[0]
	for _, c := range costs {
		least, most = min(least, c), max(most, c)
	}
	b.row("flat", "report: µs per user by number of users", strings.Join(texts, ", "), "within 1.5 ×",
		most <= 1.5*least)
	return nil
}

// costOf returns the least time to generate a report of a number of users, by a
// service that has been answering for a while. A report of 1,000 users takes two
// milliseconds more than an empty one, and only the least times are that exact.
func (b *bench) costOf(ctx context.Context, users int) (time.Duration, error) {
	r, err := b.seeded(ctx, fmt.Sprintf("flat-%d", users), users, "")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(r.dir)
	p, err := r.serve("--report-max-age", "200ms", "--report-history", "2")
	if err != nil {
		return 0, err
	}
	defer p.stop()
	if _, err := made(p.target); err != nil {
		return 0, err
	}
	time.Sleep(250 * time.Millisecond)
	runs := b.runs
	if users <= 10_000 {
		runs = 30
	}
	var all []time.Duration
	for range runs {
		took, err := first(ctx, r, p.target)
		if err != nil {
			return 0, err
		}
		all = append(all, took)
		// The next run must not find this report recent enough.
		time.Sleep(250 * time.Millisecond)
	}
	return slices.Min(all), nil
}

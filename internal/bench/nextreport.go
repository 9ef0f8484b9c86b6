package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/ncruces/go-sqlite3/driver"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// changesBetween is the number of users that change between two reports, and
// maxAgeBetween the age up to which a report is returned again.
const (
	changesBetween = 100
	maxAgeBetween  = 100 * time.Millisecond
)

// nextReports measures the reports after the first, each after some changes, and
// what a hundred of them take in the database.
func (b *bench) nextReports(ctx context.Context, r *rollcall, engine string) error {
	p, err := r.serve("--report-max-age", maxAgeBetween.String(), "--report-history", "1000")
	if err != nil {
		return err
	}
	defer p.stop()
	cfg := r.config()
	db, err := store.Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	before, err := reportBytes(ctx, cfg)
	if err != nil {
		return err
	}
	if _, err = first(ctx, r, p.target); err != nil {
		return err
	}
	one, err := reportBytes(ctx, cfg)
	if err != nil {
		return err
	}
	var all []time.Duration
	for round := range 100 {
		if err := b.change(ctx, db, round); err != nil {
			return err
		}
		time.Sleep(maxAgeBetween)
		took, err := made(p.target)
		if err != nil {
			return err
		}
		all = append(all, took)
	}
	hundred, err := reportBytes(ctx, cfg)
	if err != nil {
		return err
	}
	of := fmt.Sprintf("report of %d users, %s", b.users, engine)
	took := median(all)
	b.row("report", of+": next one after 100 changes", fmt.Sprintf("%.1f ms", took.Seconds()*1000), "20 ms",
		took <= 20*time.Millisecond)
	got, _, err := fetched(p.target)
	if err != nil {
		return err
	}
	b.row("report", of+": get the last one", seconds(got), "", true)
	share := float64(hundred-before) / float64(one-before)
	b.row("report", fmt.Sprintf("%s: storage of 101, with 100 changes between each, by that of one (%.1f MiB)", of,
		float64(one-before)/(1<<20)), fmt.Sprintf("%.2f ×", share), "1.2 ×", share <= 1.2)
	return nil
}

// change deactivates or activates a key of some users, others in each round.
func (b *bench) change(ctx context.Context, db *store.DB, round int) error {
	status := []string{"Inactive", "Active"}[round*changesBetween/b.users%2]
	return db.Update(store.OnAccount(ctx, account), func(tx *store.Tx) error {
		var errs []error
		for i := range changesBetween {
			// Users whose number ends in 0 have a key.
			user := (i*(b.users/changesBetween) + 10*round) % b.users
			errs = append(errs, tx.SetCredentialStatus(store.AccessKeyCredential, account,
				fmt.Sprintf("user-%07d", user), storetest.SeedKey(user, 0), status))
		}
		return errors.Join(errs...)
	})
}

// reportBytes returns the space in a database that is in use, on PostgreSQL by
// reports only.
func reportBytes(ctx context.Context, cfg store.Config) (n int64, err error) {
	if cfg.URL != "" {
		c, err := pgx.Connect(ctx, cfg.URL)
		if err != nil {
			return 0, err
		}
		defer func() { _ = c.Close(ctx) }()
		return n, c.QueryRow(ctx, `SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
			WHERE relkind = 'r' AND relname LIKE 'report%'`).Scan(&n)
	}
	db, err := driver.Open("file:" + cfg.Path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = db.Close() }()
	return n, db.QueryRowContext(ctx, `SELECT (SELECT page_count FROM pragma_page_count()) * 4096
		- (SELECT freelist_count FROM pragma_freelist_count()) * 4096`).Scan(&n)
}

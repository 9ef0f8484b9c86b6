package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// PostgreSQL keeps a plan until it counts the rows again. What was planned for
// empty tables does not read large ones from beginning to end.
func TestPlansForEmptyTables(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Postgres(t))
	fill(t, db)
	update(t, db, func(tx *store.Tx) error { return tx.Exec("ANALYZE report_patches, report_chunks") })
	report := store.Report{Account: account, Token: 5, Base: 1}
	read := func(places []store.ReportPlace, users ...string) (pieces [][]byte, patches []store.ReportPatch) {
		view(t, db, func(tx *store.Tx) (err error) {
			pieces, patches, err = tx.PatchedOf(report, places, users)
			return err
		})
		return pieces, patches
	}
	for range 10 { // then the server keeps one plan for all arguments
		read(nil, "u0007")
	}
	update(t, db, func(tx *store.Tx) error {
		return errors.Join(
			tx.Exec(`INSERT INTO report_patches (account, base, name_key, since, data)
				SELECT $1, 1, 'u' || to_char(n, 'FM0000'), since, '1,1,' || since
				FROM generate_series(1, 1000) n, generate_series(1, 9) since`, account),
			tx.Exec(`INSERT INTO report_chunks (account, token, seq, size, data)
				SELECT $1, 1, n, 4, decode('00112233', 'hex') FROM generate_series(1, 1000) n`, account))
	})
	pieces, patches := read([]store.ReportPlace{{Chunk: 7, At: 1, Size: 2}, {Chunk: 3, At: 0, Size: 1}}, "u0007", "none",
		"u0009")
	if fmt.Sprintf("%x", pieces) != "[1122 00]" || fmt.Sprint(patches) != "[{u0007 1,1,5} {u0009 1,1,5}]" {
		t.Errorf("pieces %x, patches %v", pieces, patches)
	}
	const count = `CAST(pg_stat_get_xact_tuples_returned('report_patches'::regclass) AS TEXT)`
	view(t, db, func(tx *store.Tx) error {
		found, err := tx.Pairs(`SELECT current_setting('jit'), ` + count)
		if err != nil {
			return err
		}
		_, _, err = tx.PatchedOf(report, nil, []string{"u0007", "u0500"})
		if err != nil {
			return err
		}
		after, err := tx.Pairs(`SELECT 'off', ` + count)
		if err == nil && found[0] != after[0] {
			t.Errorf("jit %s, %s patches were read one after the other, %s before", found[0][0], after[0][1], found[0][1])
		}
		return err
	})
}

// A change that began before its account was recorded is in the snapshot of the
// base, or marked, or undone.
func TestChangeUnderWayWhenTheRecordingBegins(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		db := storetest.Open(t, cfg)
		fill(t, db)
		began, goOn := make(chan struct{}, 10), make(chan struct{})
		changed, inBase := make(chan error, 1), make(chan error, 1)
		go func() {
			changed <- db.Update(context.Background(), func(tx *store.Tx) error {
				if _, err := tx.User(account, ""); err != nil { // takes the snapshot
					return err
				}
				began <- struct{}{}
				<-goOn
				return tx.InsertUser(user("late"))
			})
		}()
		<-began
		started := make(chan struct{})
		var seen bool
		go func() {
			err := db.Update(context.Background(), func(tx *store.Tx) error {
				token, err := tx.StartReportJob(account, "n", time.Minute)
				if err != nil {
					return err
				}
				return tx.StartReportBase(account, token)
			})
			close(started)
			// Changes in other databases of the server delay the snapshot too.
			patient := store.Patiently(context.Background(), time.Minute)
			err = errors.Join(err, db.ViewSettled(patient, time.Minute, func(tx *store.Tx) error {
				_, err := tx.User(account, "late")
				if seen = err == nil; errors.Is(err, store.ErrNotFound) {
					err = nil
				}
				return err
			}))
			inBase <- err
		}()
		if cfg.URL != "" { // others have one writer, and wait for the change
			<-started
			err := db.ViewSettled(context.Background(), 50*time.Millisecond, func(*store.Tx) error { return nil })
			if !errors.Is(err, store.ErrUnsettled) {
				t.Errorf("a snapshot beside an older change: %v", err)
			}
		}
		time.Sleep(50 * time.Millisecond)
		close(goOn)
		if err := errors.Join(<-changed, <-inBase); err != nil {
			t.Fatal(err)
		}
		view(t, db, func(tx *store.Tx) error {
			start, err := tx.ReportStart(account, 10)
			if !seen && len(start.Marks) == 0 {
				t.Error("the base does not have the user, and nothing marks it")
			}
			return err
		})
	})
}

// recorded begins to record an account.
func recorded(t *testing.T, db *store.DB) (token int64) {
	t.Helper()
	update(t, db, func(tx *store.Tx) (err error) {
		if token, err = tx.StartReportJob(account, "n", time.Minute); err != nil {
			return err
		}
		return tx.StartReportBase(account, token)
	})
	return token
}

func marks(t *testing.T, db *store.DB) (all []store.ReportMark) {
	t.Helper()
	view(t, db, func(tx *store.Tx) (err error) {
		start, err := tx.ReportStart(account, 10_000)
		all = start.Marks
		return err
	})
	return all
}

// A report forgets the marks that it has seen, not those of later changes of the
// same users. What belongs to no report is dropped, patches included.
func TestMarksAreForgottenByVersion(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "a", "b")
		token := recorded(t, db)
		if got := marks(t, db); len(got) != 0 {
			t.Errorf("%v", got)
		}
		change := func(name string) {
			update(t, db, func(tx *store.Tx) error {
				to := user(name)
				to.Path = to.Path + "x/"
				return tx.RenameUser(account, name, to)
			})
		}
		change("a")
		change("b")
		seen := marks(t, db)
		if len(seen) != 2 {
			t.Fatalf("%v", seen)
		}
		change("b")
		base := store.Report{Account: account, Token: token, Base: token, Generated: created}
		update(t, db, func(tx *store.Tx) error {
			return tx.PublishPatches(base, []store.ReportPatch{{NameKey: "a", Data: "a,"}}, seen, store.ReportHistory{})
		})
		if got := marks(t, db); len(got) != 1 || got[0].NameKey != "b" {
			t.Errorf("%v", got)
		}
		patches, err := db.ReportPatches(t.Context(), base, "", 10)
		if err != nil || len(patches) != 1 {
			t.Errorf("%v, %v", patches, err)
		}
		// Another base, and no report on the old one any more.
		next := recorded(t, db)
		update(t, db, func(tx *store.Tx) error {
			r := store.Report{Account: account, Token: next, Base: next, Generated: created}
			return errors.Join(tx.PublishReport(r, store.ReportHistory{}),
				tx.Exec(`DELETE FROM reports WHERE token = $1`, token))
		})
		if err := db.DropReportRests(t.Context(), account, next); err != nil {
			t.Fatal(err)
		}
		all := dump(t, db)
		if n := len(all["report_patches"]) + len(all["report_bases"]); n != 1 {
			t.Errorf("%v", all)
		}
		if _, err := db.ReportPatches(t.Context(), base, "", 10); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("patches of a dropped report: %v", err)
		}
	})
}

// A recording that no report could use any more ends, with its marks.
func TestForgetRecordings(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		recorded(t, db)
		for i := range 12 {
			update(t, db, func(tx *store.Tx) error { return tx.InsertUser(user(fmt.Sprint("u", i))) })
		}
		if err := db.ForgetRecordings(t.Context(), 12); err != nil || len(marks(t, db)) != 12 {
			t.Fatalf("%d marks, %v", len(marks(t, db)), err)
		}
		if err := db.ForgetRecordings(t.Context(), 11); err != nil || len(marks(t, db)) != 0 {
			t.Fatalf("%d marks, %v", len(marks(t, db)), err)
		}
		update(t, db, func(tx *store.Tx) error { return tx.InsertUser(user("later")) })
		if len(marks(t, db)) != 0 {
			t.Error("the recording continues")
		}
	})
}

// Reports are kept by their age, by their number, or both; two always are.
func TestReportsAreKept(t *testing.T) {
	t.Parallel()
	const hour = int64(time.Hour / time.Millisecond)
	for name, test := range map[string]struct {
		keep store.ReportHistory
		want int
	}{
		"by number": {store.ReportHistory{Count: 3}, 3}, "by age": {store.ReportHistory{Age: 150 * time.Minute}, 4},
		"both":         {store.ReportHistory{Count: 3, Age: 150 * time.Minute}, 3},
		"two at least": {store.ReportHistory{Count: 1, Age: time.Minute}, 2}, "all": {store.ReportHistory{}, 7},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				fill(t, db)
				token := recorded(t, db)
				update(t, db, func(tx *store.Tx) error {
					var errs []error
					for i := range int64(6) { // one each hour until now
						r := store.Report{Account: account, Token: token - 6 + i, Generated: created}
						errs = append(errs, tx.InsertReport(r, hour*(5-i)))
					}
					r := store.Report{Account: account, Token: token, Base: token, Generated: created}
					return errors.Join(append(errs, tx.PublishReport(r, test.keep))...)
				})
				view(t, db, func(tx *store.Tx) error {
					all, err := tx.Reports(account, 10)
					if len(all) != test.want {
						t.Errorf("%d reports, want %d", len(all), test.want)
					}
					return err
				})
			})
		})
	}
}

// All marks of a deleted account are deleted too.
func TestDeletedAccountLeavesNoMarks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "a")
		recorded(t, db)
		update(t, db, func(tx *store.Tx) error { return tx.InsertUser(user("b")) })
		update(t, db, func(tx *store.Tx) error { return tx.DeleteAccount(account) })
		if got := dump(t, db)["report_marks"]; len(got) != 0 {
			t.Errorf("%v", got)
		}
	})
}

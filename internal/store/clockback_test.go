package store_test

import (
	"errors"
	"testing"
	"time"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// What a clock that was hours ahead left behind is ignored once the clock is
// right again: a lease, a report's age, a last use, and a place among the
// newest.
func TestClockStepsBack(t *testing.T) {
	t.Parallel()
	const lease, ahead = time.Minute, 4 * time.Hour
	running := func(t *testing.T, db *store.DB) (running bool) {
		view(t, db, func(tx *store.Tx) error {
			j, err := tx.ReportJob(account, lease)
			running = j.Running
			return err
		})
		return running
	}
	start := func(t *testing.T, db *store.DB) (token int64) {
		update(t, db, func(tx *store.Tx) (err error) {
			token, err = tx.StartReportJob(account, "node", lease)
			return err
		})
		return token
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		db.ShiftClock(ahead)
		crashed := start(t, db)
		if !running(t, db) {
			t.Fatal("a job that was just begun does not run")
		}
		db.ShiftClock(-ahead)
		if running(t, db) {
			t.Error("the lease of a job from the future is waited for")
		}
		token := start(t, db)
		if token <= crashed || !running(t, db) {
			t.Error("no job was begun in its place")
		}
		// A step in the middle of a job costs nothing: it is corrected when the
		// lease is renewed.
		db.ShiftClock(-ahead)
		update(t, db, func(tx *store.Tx) error {
			return tx.AddReportChunks(account, token, 0, []store.ReportChunk{{Size: 4, Data: []byte("good")}}, lease)
		})
		if !running(t, db) {
			t.Error("a job does not survive the step")
		}
		db.ShiftClock(2 * ahead)
		// It has lost its lease, because the clock has advanced.
		token = start(t, db)
		update(t, db, func(tx *store.Tx) error {
			return tx.PublishReport(store.Report{Account: account, Token: token, Generated: created},
				store.ReportHistory{Count: 2})
		})
		young := func() (young bool) {
			view(t, db, func(tx *store.Tx) error {
				r, err := tx.LatestReport(account)
				young = r.YoungerThan(time.Minute)
				return err
			})
			return young
		}
		if !young() {
			t.Error("a report that was just published is old")
		}
		db.ShiftClock(-ahead)
		if young() {
			t.Error("a report from the future is young")
		}
	})
}

func TestLastUseOfClockThatWasAhead(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "ann")
		update(t, db, func(tx *store.Tx) error { return tx.InsertAccessKey(key("ann", "AKIA1")) })
		db.SetUseSpan(15 * time.Minute)
		use := func(at time.Time) {
			t.Helper()
			db.KeyUsed("AKIA1", store.LastUsed{At: at, Region: "r", Service: "iam"})
			db.PasswordUsed(account, "ann", at)
			db.ServiceUsed(store.ServiceUse{Account: account, Principal: "AIDAann", Service: "iam",
				Action: "ListUsers", At: at, Region: "r"})
		}
		check := func(want time.Time) {
			t.Helper()
			if err := db.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			view(t, db, func(tx *store.Tx) error {
				key, err1 := tx.KeyLastUsed("AKIA1")
				password, err2 := tx.PasswordLastUsed(account, "ann")
				service, err3 := tx.LastServiceUse(account, "AIDAann")
				if !key.At.Equal(want) || !password.Equal(want) || !service.At.Equal(want) {
					t.Errorf("key %s, password %s, service %s, want %s", key.At, password, service.At, want)
				}
				return errors.Join(err1, err2, err3)
			})
		}
		use(created.Add(4 * time.Hour))
		check(created.Add(4 * time.Hour))
		// Small differences between nodes' clocks are not steps.
		use(created.Add(4*time.Hour - time.Minute))
		check(created.Add(4 * time.Hour))
		use(created)
		check(created)
		use(created.Add(time.Minute)) // inside the span
		check(created)
		// The same before anything is written.
		use(created.Add(8 * time.Hour))
		use(created.Add(time.Hour))
		check(created.Add(time.Hour))
	})
}

func TestTasksOfClockThatWasAhead(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		now := created
		cfg.Now = func() time.Time { return now }
		db := storetest.Open(t, cfg)
		fill(t, db)
		add := func(id string) {
			update(t, db, func(tx *store.Tx) error {
				return errors.Join(
					tx.InsertAccessJob(
						store.AccessJob{Account: account, ID: id, ARN: "arn", Created: tx.Now, Result: []byte("{}")}),
					tx.TrimAccessJobs(account, 2, 1000),
					tx.InsertDeletionTask(store.DeletionTask{Account: account, ID: id, Created: tx.Now, Status: "s"}))
			})
		}
		now = created.Add(4 * time.Hour)
		add("future-1")
		add("future-2")
		now = created
		add("today-1")
		day := now.Add(-24 * time.Hour)
		if err := errors.Join(db.ForgetDeletionTasks(t.Context(), day),
			db.ForgetAccessJobs(t.Context(), day)); err != nil {
			t.Fatal(err)
		}
		view(t, db, func(tx *store.Tx) error {
			_, err := tx.AccessJob(account, "today-1", 0, 9)
			if _, gone := tx.AccessJob(account, "future-1", 0, 9); !errors.Is(gone, store.ErrNotFound) {
				t.Errorf("job from the future: %v", gone)
			}
			if _, gone := tx.DeletionTask(account, "future-1"); !errors.Is(gone, store.ErrNotFound) {
				t.Errorf("task from the future: %v", gone)
			}
			return err
		})
	})
}

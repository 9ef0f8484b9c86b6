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

func TestScanCredentials(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "B", "a", "c")
		update(t, db, func(tx *store.Tx) error {
			second := key("b", "AKIA2")
			second.Status = "Inactive"
			return errors.Join(tx.InsertAccessKey(second), tx.InsertAccessKey(key("b", "AKIA1")),
				tx.InsertAccessKey(key("", "AKIA0")))
		})
		db.KeyUsed("AKIA2", store.LastUsed{At: created.Add(time.Hour), Region: "eu", Service: "iam"})
		if err := db.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		var got []string
		view(t, db, func(tx *store.Tx) error {
			return tx.ScanCredentials(account, func(r *store.CredentialRow) error {
				line := string(r.Name)
				for _, k := range r.Keys {
					line += fmt.Sprintf(" %v/%d/%s", k.Active, max(0, k.Used-created.Unix()), k.Region)
				}
				got = append(got, line)
				return nil
			})
		})
		want := []string{" true/0/", "a", "B true/0/ false/3600/eu", "c"}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// There are more users than fit in a page of any engine, and pages end at
// arbitrary users.
func TestScanCredentialsPages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const n = 20_001
		fill(t, db)
		update(t, db, func(tx *store.Tx) error {
			for i := range n {
				name := fmt.Sprintf("u%06d", i)
				if err := tx.InsertUser(user(name)); err != nil {
					return err
				}
				if i%3 == 0 {
					if err := tx.InsertAccessKey(key(name, fmt.Sprintf("AKIA%06d", i))); err != nil {
						return err
					}
				}
			}
			return nil
		})
		users, keys := 0, 0
		view(t, db, func(tx *store.Tx) error {
			return tx.ScanCredentials(account, func(r *store.CredentialRow) error {
				users++
				keys += len(r.Keys)
				return nil
			})
		})
		if users != n+1 || keys != (n+2)/3 {
			t.Errorf("%d users and %d keys", users, keys)
		}
		stop := errors.New("stop")
		err := db.View(context.Background(), func(tx *store.Tx) error {
			return tx.ScanCredentials(account, func(r *store.CredentialRow) error { return stop })
		})
		if err != stop {
			t.Errorf("a scan that is stopped: %v", err)
		}
	})
}

func TestReportJob(t *testing.T) {
	t.Parallel()
	const lease, over = time.Minute, time.Millisecond
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		var first, second int64
		update(t, db, func(tx *store.Tx) (err error) {
			if first, err = tx.StartReportJob(account, "node1", lease); err == nil {
				err = tx.StartReportBase(account, first)
			}
			return err
		})
		err := db.Update(context.Background(), func(tx *store.Tx) error {
			_, err := tx.StartReportJob(account, "node2", lease)
			return err
		})
		if !errors.Is(err, store.ErrExists) {
			t.Fatalf("second job: %v", err)
		}
		update(t, db, func(tx *store.Tx) error {
			return tx.AddReportChunks(account, first, 0, []store.ReportChunk{{Size: 5, Data: []byte("stale")}}, over)
		})
		time.Sleep(100 * time.Millisecond)
		update(t, db, func(tx *store.Tx) (err error) {
			if second, err = tx.StartReportJob(account, "node2", lease); err == nil {
				err = tx.StartReportBase(account, second)
			}
			return err
		})
		if second <= first {
			t.Fatalf("tokens %d, %d", first, second)
		}
		err = db.Update(context.Background(), func(tx *store.Tx) error {
			return tx.AddReportChunks(account, first, 1, []store.ReportChunk{{Size: 5, Data: []byte("fenced")}}, lease)
		})
		if !errors.Is(err, store.ErrConflict) {
			t.Fatalf("chunk of a job that lost its lease: %v", err)
		}
		err = db.Update(context.Background(), func(tx *store.Tx) error { return tx.StartReportBase(account, first) })
		if !errors.Is(err, store.ErrConflict) {
			t.Fatalf("base of a job that lost its lease: %v", err)
		}
		err = db.Update(context.Background(), func(tx *store.Tx) error {
			return tx.PublishReport(store.Report{Account: account, Token: first, Generated: created},
				store.ReportHistory{Count: 2})
		})
		if !errors.Is(err, store.ErrConflict) {
			t.Fatalf("report of a job that lost its lease: %v", err)
		}
		update(t, db, func(tx *store.Tx) error {
			if err := tx.AddReportChunks(account, second, 0,
				[]store.ReportChunk{{Size: 4, Data: []byte("good")}}, lease); err != nil {
				return err
			}
			return tx.PublishReport(store.Report{Account: account, Token: second, Generated: created, Size: 4,
				Users: 1, SHA256: "x", Base: second}, store.ReportHistory{Count: 2})
		})
		if err := db.DropReportRests(t.Context(), account, second); err != nil {
			t.Fatal(err)
		}
		view(t, db, func(tx *store.Tx) error {
			r, err := tx.LatestReport(account)
			if err != nil {
				return err
			}
			if r.Token != second || r.Age < 0 || r.Age > time.Minute {
				t.Errorf("report %+v", r)
			}
			if j, err := tx.ReportJob(account, lease); err != nil || j.Running {
				t.Errorf("job %+v, %v", j, err)
			}
			c, err := tx.ReportChunk(account, second, 0)
			if string(c.Data) != "good" || c.Size != 4 {
				t.Errorf("chunk %+v", c)
			}
			if _, err := tx.ReportChunk(account, first, 0); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("chunk of the lost job: %v", err)
			}
			return err
		})
	})
}

// A job is only started after the job that its caller knows of.
func TestReportState(t *testing.T) {
	t.Parallel()
	const lease = time.Minute
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		state := func() (s store.ReportState) {
			t.Helper()
			if err := db.Glance(t.Context(), func(tx *store.Tx) (err error) {
				s, err = tx.ReportState(account, lease)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return s
		}
		start := func(after int64) (token int64, err error) {
			err = db.Update(t.Context(), func(tx *store.Tx) (err error) {
				token, err = tx.StartReportJobAfter(account, "node", lease, after)
				return err
			})
			return token, err
		}
		if s := state(); s.Job != 0 || s.Running || s.Last.Age >= 0 {
			t.Errorf("before the first job: %+v", s)
		}
		first, err := start(0)
		if err != nil {
			t.Fatal(err)
		}
		if s := state(); s.Job != first || !s.Running || s.Last.Age >= 0 {
			t.Errorf("while job %d runs: %+v", first, s)
		}
		if _, err := start(first); !errors.Is(err, store.ErrExists) {
			t.Errorf("a job beside a running one: %v", err)
		}
		update(t, db, func(tx *store.Tx) error {
			return tx.PublishReport(store.Report{Account: account, Token: first, Generated: created, Base: first},
				store.ReportHistory{})
		})
		if s := state(); s.Job != first || s.Running || s.Last.Age < 0 || s.Last.Age > time.Minute {
			t.Errorf("after job %d: %+v", first, s)
		}
		for _, other := range []int64{0, first - 1, first + 1} {
			if _, err := start(other); !errors.Is(err, store.ErrExists) {
				t.Errorf("a job after %d, while the newest is %d: %v", other, first, err)
			}
		}
		if second, err := start(first); err != nil || second <= first {
			t.Errorf("the job after %d: %d, %v", first, second, err)
		}
	})
}

func TestReportHistory(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		var first, last int64
		for i := range 5 {
			update(t, db, func(tx *store.Tx) error {
				token, err := tx.StartReportJob(account, "n", time.Minute)
				if err != nil {
					return err
				}
				if last = token; i == 0 {
					first = token
				}
				if err := tx.StartReportBase(account, token); err != nil {
					return err
				}
				if err := tx.AddReportChunks(account, token, 0, []store.ReportChunk{{Size: 1, Data: []byte{byte(i)}}},
					time.Minute); err != nil {
					return err
				}
				return tx.PublishReport(
					store.Report{Account: account, Token: token, Generated: created.Add(time.Duration(i) * time.Hour),
						Base: token}, store.ReportHistory{Count: 3})
			})
			if err := db.DropReportRests(t.Context(), account, last); err != nil {
				t.Fatal(err)
			}
		}
		view(t, db, func(tx *store.Tx) error {
			all, err := tx.Reports(account, 10)
			if err != nil {
				return err
			}
			if len(all) != 3 || !all[0].Generated.Equal(created.Add(4*time.Hour)) {
				t.Errorf("history %+v", all)
			}
			r, err := tx.ReportAt(account, created.Add(3*time.Hour+30*time.Minute))
			if err != nil || !r.Generated.Equal(created.Add(3*time.Hour)) {
				t.Errorf("report at a time: %+v, %v", r, err)
			}
			if _, err := tx.ReportChunk(account, first, 0); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("chunk of a dropped report: %v", err)
			}
			return nil
		})
	})
}

package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

func TestServiceUsed(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		cfg.UseSpan = time.Minute
		cfg.Now = func() time.Time { return created.Add(2 * time.Hour) }
		db := storetest.Open(t, cfg)
		fill(t, db, "ann")
		use := func(account, service, action string, after time.Duration, region string) {
			db.ServiceUsed(store.ServiceUse{Account: account, Principal: "AIDAann", Service: service, Action: action,
				At: created.Add(after), Region: region})
		}
		flush := func() {
			t.Helper()
			if err := db.Flush(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		row := func(service, action string, after time.Duration, region string) store.ServiceUse {
			return store.ServiceUse{Account: account, Principal: "AIDAann", Service: service, Action: action,
				At: created.Add(after), Region: region}
		}
		wants := func(want ...store.ServiceUse) {
			t.Helper()
			view(t, db, func(tx *store.Tx) error {
				got, err := tx.ServiceUses(account, "AIDAann")
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					t.Errorf("%v -want +got\n%s", err, diff)
				}
				return nil
			})
		}
		wants()
		use(account, "iam", "GetUser", 0, "eu-west-1")
		use(account, "iam", "GetUser", 59*time.Second, "eu-west-2") // inside the span
		use(account, "iam", "ListUsers", time.Hour, "eu-west-3")
		use(account, "sts", "GetCallerIdentity", time.Second, "eu-west-1")
		use("999999999999", "iam", "GetUser", 0, "eu-west-1") // a deleted account
		flush()
		wants(row("iam", "", time.Hour, "eu-west-3"), row("iam", "GetUser", 0, "eu-west-1"),
			row("iam", "ListUsers", time.Hour, "eu-west-3"),
			row("sts", "", time.Second, "eu-west-1"), row("sts", "GetCallerIdentity", time.Second, "eu-west-1"))
		view(t, db, func(tx *store.Tx) error {
			last, err := tx.LastServiceUse(account, "AIDAann")
			if diff := cmp.Diff(row("iam", "", time.Hour, "eu-west-3"), last); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			if _, err := tx.LastServiceUse(account, "AROA"); !errors.Is(err, store.ErrNotFound) {
				t.Error(err)
			}
			return nil
		})
		// A use is not recorded if it is earlier, or within the span. It is
		// recorded beyond the span.
		use(account, "iam", "ListUsers", 50*time.Minute, "eu-west-4")
		use(account, "sts", "GetCallerIdentity", 61*time.Second, "eu-west-2")
		flush()
		wants(row("iam", "", time.Hour, "eu-west-3"), row("iam", "GetUser", 0, "eu-west-1"),
			row("iam", "ListUsers", time.Hour, "eu-west-3"),
			row("sts", "", 61*time.Second, "eu-west-2"), row("sts", "GetCallerIdentity", 61*time.Second, "eu-west-2"))
		if err := db.ForgetServiceUses(t.Context(), created.Add(2*time.Minute)); err != nil {
			t.Fatal(err)
		}
		wants(row("iam", "", time.Hour, "eu-west-3"), row("iam", "ListUsers", time.Hour, "eu-west-3"))
	})
}

// Noted uses are written at the end at the latest. Uses that could not be
// written are written the next time.
func TestServiceUsedIsNotLost(t *testing.T) {
	t.Parallel()
	cfg := storetest.SQLite(t)
	db, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, db, "ann")
	db.ServiceUsed(store.ServiceUse{Account: account, Principal: "AIDAann", Service: "iam", Action: "GetUser",
		At: created, Region: "eu-west-1"})
	ended, end := context.WithCancel(t.Context())
	end()
	if err := db.Flush(ended); err == nil {
		t.Error("flushed without a context")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	view(t, storetest.Open(t, cfg), func(tx *store.Tx) error {
		if uses, err := tx.ServiceUses(account, "AIDAann"); err != nil || len(uses) != 2 {
			t.Errorf("%+v, %v", uses, err)
		}
		return nil
	})
}

func TestAccessJob(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		cfg.Now = func() time.Time { return created.Add(2 * time.Hour) }
		db := storetest.Open(t, cfg)
		fill(t, db)
		job := func(id string, after time.Duration) store.AccessJob {
			return store.AccessJob{Account: account, ID: id, ARN: "arn:x",
				Created: created.Add(after), Result: []byte{0, 1, 2}}
		}
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertAccessJob(job("a", 0)), tx.InsertAccessJob(job("b", time.Hour)),
				tx.InsertAccessJob(job("c", 2*time.Hour)))
		})
		if err := db.Update(context.Background(), func(tx *store.Tx) error {
			return tx.InsertAccessJob(job("a", 0))
		}); !errors.Is(err, store.ErrExists) {
			t.Error(err)
		}
		left := func(want ...string) {
			t.Helper()
			view(t, db, func(tx *store.Tx) error {
				var got []string
				for _, id := range []string{"a", "b", "c"} {
					j, err := tx.AccessJob(account, id, 0, 9)
					if err == nil {
						got = append(got, j.ID)
					} else if !errors.Is(err, store.ErrNotFound) {
						t.Error(err)
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				return nil
			})
		}
		view(t, db, func(tx *store.Tx) error {
			for _, part := range []struct {
				from, n int
				want    []byte
			}{{0, 9, []byte{0, 1, 2}}, {0, 2, []byte{0, 1}}, {1, 1, []byte{1}}, {2, 7, []byte{2}},
				{3, 1, []byte{}}, {9, 9, []byte{}}} {
				want := job("b", time.Hour)
				want.Result = part.want
				j, err := tx.AccessJob(account, "b", part.from, part.n)
				if diff := cmp.Diff(want, j, cmpopts.EquateEmpty()); err != nil || diff != "" {
					t.Errorf("%v %s", err, diff)
				}
			}
			return nil
		})
		if err := db.ForgetAccessJobs(t.Context(), created.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		left("b", "c")
		update(t, db, func(tx *store.Tx) error { return tx.TrimAccessJobs(account, 2, 6) })
		left("b", "c")
		update(t, db, func(tx *store.Tx) error { return tx.TrimAccessJobs(account, 2, 5) }) // bytes
		left("c")
		update(t, db, func(tx *store.Tx) error { return tx.TrimAccessJobs(account, 1, 2) }) // the newest stays
		left("c")
	})
}

// A long result is stored in parts. Only the requested parts are read, and they
// are deleted together.
func TestLongAccessJob(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		cfg.Now = func() time.Time { return created.Add(2 * time.Hour) }
		db := storetest.Open(t, cfg)
		fill(t, db)
		const part = 64 << 10
		for _, size := range []int{0, 1, part - 1, part, part + 1, 3*part + 5} {
			result := make([]byte, size)
			for i := range result {
				result[i] = byte(i>>8 ^ i)
			}
			id := fmt.Sprintf("00000000-0000-0000-0000-%012d", size)
			update(t, db, func(tx *store.Tx) error {
				return tx.InsertAccessJob(
					store.AccessJob{Account: account, ID: id, ARN: "arn:x", Created: created, Result: result})
			})
			view(t, db, func(tx *store.Tx) error {
				for _, at := range [][2]int{{0, 9}, {0, size}, {size / 2, 7}, {part - 2, 4}, {part, part},
					{2*part + 1, part}, {size, 5}} {
					want := result[min(at[0], size):min(at[0]+at[1], size)]
					j, err := tx.AccessJob(account, id, at[0], at[1])
					if at[0] >= size && errors.Is(err, store.ErrNotFound) {
						continue
					}
					if err != nil || !bytes.Equal(j.Result, want) || j.ID != id || !j.Created.Equal(created) {
						t.Errorf("%d bytes, %v: %d bytes, %v", size, at, len(j.Result), err)
					}
				}
				return nil
			})
		}
		update(t, db, func(tx *store.Tx) error { return tx.TrimAccessJobs(account, 4, 5*part) })
		view(t, db, func(tx *store.Tx) error {
			var left []int
			for _, size := range []int{0, 1, part - 1, part, part + 1, 3*part + 5} {
				id := fmt.Sprintf("00000000-0000-0000-0000-%012d", size)
				_, first := tx.AccessJob(account, id, 0, 1)
				_, last := tx.AccessJob(account, id, max(0, size-1), 1)
				if errors.Is(first, store.ErrNotFound) != errors.Is(last, store.ErrNotFound) {
					t.Errorf("%d: %v but %v", size, first, last)
				}
				if first == nil {
					left = append(left, size)
				}
			}
			if diff := cmp.Diff([]int{0, 1, part - 1, part}, left); diff != "" {
				t.Error(diff)
			}
			return nil
		})
	})
}

// The uses of a user or a role are deleted with it, and no others.
func TestServiceUsesGoWithPrincipals(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "bob", "eve")
		update(t, db, func(tx *store.Tx) error {
			return tx.InsertRole(store.Role{Account: account, NameKey: "worker", Name: "worker", Path: "/",
				ID: "AROAworker", Created: created})
		})
		ids := []string{"AIDAbob", "AIDAeve", "AROAworker"}
		for _, id := range ids {
			db.ServiceUsed(store.ServiceUse{Account: account, Principal: id, Service: "iam", Action: "GetUser",
				At: created, Region: "eu-west-1"})
		}
		if err := db.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.DeleteUser(account, "bob"), tx.DeleteRole(account, "worker"))
		})
		// They are not written afterwards either: the use by a running call is
		// noted late.
		for _, id := range ids {
			db.ServiceUsed(store.ServiceUse{Account: account, Principal: id, Service: "iam", Action: "GetUser",
				At: created, Region: "eu-west-1"})
		}
		if err := db.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		view(t, db, func(tx *store.Tx) error {
			for i, want := range []int{0, 2, 0} {
				if uses, err := tx.ServiceUses(account, ids[i]); err != nil || len(uses) != want {
					t.Errorf("%s: %+v, %v", ids[i], uses, err)
				}
			}
			return nil
		})
	})
}

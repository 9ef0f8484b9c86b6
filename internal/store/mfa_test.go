package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

func device(serial, id string) store.MFADevice {
	return store.MFADevice{Account: account, Serial: serial, ID: id, Seed: []byte{0, 1, 2}, Created: created}
}

func TestMFADevice(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "Bob")
		enabled := created.Add(time.Hour)
		update(t, db, func(tx *store.Tx) error {
			// They are inserted in the reverse order of their ids.
			for _, d := range []store.MFADevice{device("arn:a", "3"), device("arn:b", "2"), device("arn:c", "1")} {
				if err := tx.InsertMFADevice(d); err != nil {
					return err
				}
			}
			own := device("arn:b", "2")
			own.NameKey, own.Enabled, own.LastStep, own.Drift = "bob", enabled, 59_000_000, -3
			roots := device("arn:c", "1")
			roots.Enabled = enabled
			return errors.Join(tx.AssignMFADevice(own), tx.AssignMFADevice(roots))
		})
		for which, want := range map[store.Assignment][]string{
			store.AnyDevice:        {"1", "2 Bob", "3"},
			store.AssignedDevice:   {"1", "2 Bob"},
			store.UnassignedDevice: {"3"},
		} {
			view(t, db, func(tx *store.Tx) error {
				all, err := tx.MFADevices(account, "", which, 9)
				var got []string
				for _, d := range all {
					s := d.ID
					if d.User.Name != "" {
						s += " " + d.User.Name
					}
					got = append(got, s)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%q: %s", which, diff)
				}
				return err
			})
		}
		view(t, db, func(tx *store.Tx) error {
			page, err := tx.MFADevices(account, "1", store.AnyDevice, 1)
			if err != nil || len(page) != 1 || page[0].ID != "2" {
				t.Errorf("page after 1: %v, %v", page, err)
			}
			mine, err := tx.UserMFADevices(account, "bob")
			want := device("arn:b", "2")
			want.Assigned, want.NameKey, want.Enabled, want.LastStep, want.Drift = true, "bob", enabled, 59_000_000, -3
			if diff := cmp.Diff([]store.MFADevice{want}, mine); err != nil || diff != "" {
				t.Errorf("devices of bob: %v %s", err, diff)
			}
			root, err := tx.MFADevice(account, "arn:c")
			if err != nil || !root.Assigned || root.NameKey != "" {
				t.Errorf("device of root: %+v, %v", root, err)
			}
			return nil
		})
		err := db.Update(context.Background(), func(tx *store.Tx) error {
			return tx.InsertMFADevice(device("arn:a", "9"))
		})
		if !errors.Is(err, store.ErrExists) {
			t.Errorf("a taken serial: %v", err)
		}
		err = db.Update(context.Background(), func(tx *store.Tx) error { return tx.DeleteUser(account, "bob") })
		if !errors.Is(err, store.ErrConflict) {
			t.Errorf("delete a user with a device: %v", err)
		}
	})
}

func TestUnassignMFADevice(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "bob")
		d := device("arn:a", "1")
		d.NameKey, d.Enabled, d.LastStep, d.Drift = "bob", created, 7, 2
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertMFADevice(d), tx.AssignMFADevice(d), tx.UnassignMFADevice(account, "arn:a"))
		})
		want := device("arn:a", "1")
		want.LastStep, want.Drift = 7, 2
		view(t, db, func(tx *store.Tx) error {
			got, err := tx.MFADevice(account, "arn:a")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			return err
		})
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.DeleteUser(account, "bob"), tx.DeleteMFADevice(account, "arn:a"))
		})
		err := db.Update(context.Background(), func(tx *store.Tx) error { return tx.DeleteMFADevice(account, "arn:a") })
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("delete twice: %v", err)
		}
	})
}

// A code works once, in any order, for as long as its device exists.
func TestUsedMFACodes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		use := func(serial string, step, oldest int64) error {
			return db.Update(t.Context(), func(tx *store.Tx) error {
				return tx.UseMFACode(account, serial, step, oldest)
			})
		}
		used := func(want ...int64) {
			t.Helper()
			view(t, db, func(tx *store.Tx) error {
				got, err := tx.MFACodesUsed(account, "arn:a", 5, 9)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				return err
			})
		}
		if err := use("arn:a", 7, 0); !errors.Is(err, store.ErrConflict) {
			t.Errorf("of no device: %v", err)
		}
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertMFADevice(device("arn:a", "1")), tx.InsertMFADevice(device("arn:b", "2")))
		})
		used()
		for _, step := range []int64{9, 5, 7, 4, 10} {
			if err := use("arn:a", step, 0); err != nil {
				t.Fatal(err)
			}
		}
		if err := use("arn:a", 5, 0); !errors.Is(err, store.ErrExists) {
			t.Errorf("twice: %v", err)
		}
		if err := use("arn:b", 5, 0); err != nil {
			t.Errorf("of another device: %v", err)
		}
		used(5, 7, 9)
		if err := use("arn:a", 6, 6); err != nil {
			t.Fatal(err)
		}
		used(6, 7, 9)
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.DeleteMFADevice(account, "arn:a"), tx.InsertMFADevice(device("arn:a", "3")))
		})
		used()
	})
}

func TestMFADeviceTags(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		set := func(tx *store.Tx, key, value string) error {
			return tx.SetTag(store.MFADeviceTags, account, "arn:a", store.Tag{Key: key, Value: value})
		}
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertMFADevice(device("arn:a", "1")), set(tx, "team", "1"), set(tx, "Team", "2"),
				set(tx, "x", "3"), set(tx, "team", "4"), tx.DeleteTag(store.MFADeviceTags, account, "arn:a", "x"),
				tx.DeleteTag(store.MFADeviceTags, account, "arn:a", "X"))
		})
		view(t, db, func(tx *store.Tx) error {
			got, err := tx.Tags(store.MFADeviceTags, account, "arn:a", 9)
			want := []store.Tag{{Fold: "Team", Key: "Team", Value: "2"}, {Fold: "team", Key: "team", Value: "4"}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			return err
		})
		update(t, db, func(tx *store.Tx) error { return tx.DeleteMFADevice(account, "arn:a") })
		view(t, db, func(tx *store.Tx) error {
			if got, err := tx.Tags(store.MFADeviceTags, account, "arn:a", 9); err != nil || len(got) > 0 {
				t.Errorf("tags of a deleted device: %v, %v", got, err)
			}
			return nil
		})
	})
}

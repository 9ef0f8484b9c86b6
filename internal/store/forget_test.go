package store_test

import (
	"fmt"
	"testing"
	"time"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// Only old rows are deleted, from every page of a large table.
func TestForgetServiceUses(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		cfg.Now = func() time.Time { return created.Add(time.Hour) }
		db := storetest.Open(t, cfg)
		fill(t, db, "ann", "bob")
		const n = 6000 // more than a page
		for i := range n {
			at := created
			if i%3 == 0 {
				at = created.Add(-time.Hour)
			}
			for _, id := range []string{"AIDAann", "AIDAbob"} {
				db.ServiceUsed(store.ServiceUse{Account: account, Principal: id, Service: "s",
					Action: fmt.Sprintf("a%05d", i), At: at, Region: "r"})
			}
		}
		if err := db.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := db.ForgetServiceUses(t.Context(), created); err != nil {
			t.Fatal(err)
		}
		view(t, db, func(tx *store.Tx) error {
			for _, id := range []string{"AIDAann", "AIDAbob"} {
				uses, err := tx.ServiceUses(account, id)
				if err != nil || len(uses) != n*2/3+1 {
					t.Errorf("%d uses left, %v", len(uses), err)
				}
				for _, u := range uses {
					if u.At.Before(created) {
						t.Fatalf("left: %+v", u)
					}
				}
			}
			return nil
		})
	})
}

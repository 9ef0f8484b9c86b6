package identity

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// Ranges of any size, read in one transaction or in two, return the same rows
// as one scan.
func TestRangesAreTheScan(t *testing.T) {
	const account = "123456789012"
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			return errors.Join(tx.InsertAccount(store.Account{ID: account, Partition: "aws"}),
				tx.InsertUser(store.User{Account: account, Path: "/", ID: account}))
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := storetest.Seed(t.Context(), db, account, 57); err != nil {
			t.Fatal(err)
		}
		twins := 0
		for _, size := range []int{1, 2, 7, 56, 57, 58, 1000} {
			err := db.View(t.Context(), func(tx *store.Tx) error {
				txs := []*store.Tx{tx}
				twin, end, err := tx.Twin()
				if err != nil {
					return err
				}
				if twin != nil {
					defer end()
					txs = append(txs, twin)
					twins++
				}
				basis, err := tx.ReportBasis(account)
				if err != nil {
					return err
				}
				rows := newReportRows(basis)
				var want, got []byte
				users, n := int64(0), int64(0)
				err = tx.ScanCredentials(account, func(r *store.CredentialRow) error {
					want, users = rows.append(append(want, '\n'), r), users+1
					return nil
				})
				if err != nil {
					return err
				}
				err = formatRanges(t.Context(), txs, account, rows, size, func(f formatted) error {
					got, n = append(got, f.rows...), n+f.users
					return nil
				})
				if !bytes.Equal(got, want) || n != users || users < 57 {
					t.Errorf("ranges of %d: %d users in %d bytes, want %d in %d", size, n, len(got), users, len(want))
				}
				failed, calls := errors.New("failed"), 0
				ended := formatRanges(t.Context(), txs, account, rows, 1, func(formatted) error { calls++; return failed })
				if !errors.Is(ended, failed) || calls != 1 {
					t.Errorf("after a failure: %v, %d calls", ended, calls)
				}
				over, cancel := context.WithCancel(t.Context())
				cancel()
				if err := formatRanges(over, txs, account, rows, 1, func(formatted) error { return nil }); err == nil {
					t.Error("a report without its users")
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%d twins", twins)
	})
}

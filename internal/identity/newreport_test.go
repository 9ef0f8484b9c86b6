package identity_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"rollcall/internal/store"
)

// An operator's report is always new and has a second of its own, even while
// another process generates a report.
func TestNewReport(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.clock.advance(990 * time.Millisecond)
		first, err := w.NewReport(t.Context(), account)
		if err != nil {
			t.Fatal(err)
		}
		var token int64
		err = w.db.Update(t.Context(), func(tx *store.Tx) (err error) {
			token, err = tx.StartReportJob(account, "another", 5*time.Second)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		w.clock.advance(time.Second)
		short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := w.NewReport(short, account); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while another job runs: %v", err)
		}
		err = w.db.Update(t.Context(), func(tx *store.Tx) error { return tx.EndReportJob(account, token) })
		if err != nil {
			t.Fatal(err)
		}
		second, err := w.NewReport(t.Context(), account)
		if err != nil || !second.Generated.Equal(first.Generated.Add(time.Second)) {
			t.Errorf("the report after that of %v is of %v, %v; want a second later", first.Generated, second.Generated, err)
		}
		time.AfterFunc(20*time.Millisecond, func() { w.clock.advance(20 * time.Millisecond) })
		third, err := w.NewReport(t.Context(), account)
		if err != nil || !third.Generated.Equal(second.Generated.Add(time.Second)) {
			t.Errorf("the report after that of %v is of %v, %v; want a second later", second.Generated, third.Generated, err)
		}
		var content bytes.Buffer
		if err := w.WriteReport(t.Context(), &content, third); err != nil || int64(content.Len()) != third.Size {
			t.Errorf("WriteReport wrote %d bytes, %v, want %d", content.Len(), err, third.Size)
		}
		if _, err := w.NewReport(t.Context(), "999999999999"); err == nil ||
			err.Error() != "generate credential report: there is no account 999999999999" {
			t.Error(err)
		}
	})
}

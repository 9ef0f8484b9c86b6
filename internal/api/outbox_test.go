package api_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/access"
	"rollcall/internal/api"
	"rollcall/internal/awsmodel"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// A record of a failure never belongs to a call that changed something,
// whatever happens after its commit. Facts that are noted next to a call do not
// count as its changes.
func TestRecordOfCallThatFailsAfterCommit(t *testing.T) {
	db, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "rollcall.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	change := func(ctx context.Context) error {
		return db.Update(ctx, func(tx *store.Tx) error { return tx.SetLimit(root.Account, "L", 1) })
	}
	err = db.Update(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.InsertAccount(store.Account{ID: root.Account, Partition: "aws"}), tx.InsertUser(root))
	})
	if err != nil {
		t.Fatal(err)
	}
	late := awsmodel.Fail("Late", "too late")
	for name, c := range map[string]struct {
		call func(ctx context.Context) error
		want string // in the record
	}{
		"made": {change, `"eventName":"CreateUser"`},
		"made, refused": {func(ctx context.Context) error {
			change(ctx)
			return late
		}, `"additionalEventData":{"answer":"Late"}`},
		"made, failed": {func(ctx context.Context) error { change(ctx); return errors.New("oh") },
			`{"answer":"ServiceFailure"}`},
		"made, and a panic": {func(ctx context.Context) error {
			change(ctx)
			panic("oh")
		}, `{"answer":"ServiceFailure"}`},
		"noted, refused": {func(ctx context.Context) error {
			change(store.WithoutEvent(ctx))
			return late
		}, `"errorCode":"Late"`},
		"fate unknown": {func(context.Context) error { return store.ErrUnknown }, `"errorCode":"ServiceUnavailable"`},
	} {
		t.Run(name, func(t *testing.T) {
			var records bytes.Buffer
			create := api.Bind(func(ctx context.Context, _ *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
				return &iam.CreateUserOutput{}, c.call(ctx)
			}, api.Changes, api.On(api.Everything), api.Tagging("iam:TagUser"))
			a := api.New([]api.Action{create}, access.New(db), trail.New(&records),
				slog.New(slog.DiscardHandler), time.Now)
			a.Outbox(db, func() (*trail.KnownHead, error) { return nil, nil })
			action, _ := a.Find("iam", "CreateUser")
			a.Invoke(t.Context(), signed(t, root), action, &iam.CreateUserInput{UserName: ptr("Bob")}, api.Call{})
			if got := records.String(); !strings.Contains(got, c.want) || strings.Contains(got,
				`"errorCode"`) != strings.Contains(c.want, `"errorCode"`) {
				t.Errorf("record %s\nwant %s", got, c.want)
			}
		})
	}
}

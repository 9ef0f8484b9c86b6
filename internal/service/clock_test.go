package service_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/ncruces/go-sqlite3/driver"

	"rollcall/internal/identity"
	"rollcall/internal/service"
	"rollcall/internal/storetest"
)

// If a clock was hours ahead, its report and its job do not prevent a new
// report once the clock is right. For the database it makes no difference
// whether the clock steps back or its stored times are in the future.
func TestReportsAfterTheClockSteppedBack(t *testing.T) {
	t.Parallel()
	cfg := storetest.SQLite(t)
	w := newWorld(t, service.Config{Store: cfg, Report: identity.ReportConfig{MaxAge: time.Hour}})
	w.waitFresh(t)
	w.user(t, "new")
	same(t, generate(t, w.root), &iam.GenerateCredentialReportOutput{State: types.ReportStateTypeComplete})
	db, err := driver.Open("file:" + cfg.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ahead := func(sql string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), sql, (4 * time.Hour).Milliseconds()); err != nil {
			t.Fatal(err)
		}
	}
	ahead(`UPDATE reports SET published_ms = published_ms + ?1`)
	same(t, generate(t, w.root), started)
	w.waitDone(t)
	same(t, generate(t, w.root), &iam.GenerateCredentialReportOutput{State: types.ReportStateTypeComplete})

	ahead(`UPDATE report_jobs SET running = 1, expires_ms = expires_ms + ?1`)
	w.report(t, w.root) // the old report is still visible
	ahead(`UPDATE reports SET published_ms = published_ms - ?1`)
	same(t, generate(t, w.root), started)
	w.waitDone(t)
}

// A session from a clock that was hours ahead ends when the clock steps back.
// It does not live hours longer than intended.
func TestSessionsAfterTheClockSteppedBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service.Config{})
	w.user(t, "Ann")
	role := w.role(t, "night", trusting("Ann"))
	w.putRolePolicy(t, "night", ptr(allowAll))
	ann := w.asUser(t, "Ann")
	w.clock.advance(10 * time.Minute)
	near := w.assume(t, ann, role, "near")
	w.clock.advance(4 * time.Hour)
	far := w.assume(t, ann, role, "far")
	must(t, far.ListUsers, &iam.ListUsersInput{})
	w.clock.advance(-4*time.Hour - 10*time.Minute)
	must(t, near.ListUsers, &iam.ListUsersInput{}) // another node's clock may be a little ahead
	refused(t, far.ListUsers, &iam.ListUsersInput{}, 403, "ExpiredToken",
		"The security token included in the request is expired")
}

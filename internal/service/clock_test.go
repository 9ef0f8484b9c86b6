package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/ncruces/go-sqlite3/driver"

	"rollcall/internal/identity"
	"rollcall/internal/service"
	"rollcall/internal/store"
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

// The clock steps by an hour and by a day, in both directions. After each step
// new users, keys and sessions work at once, and the next report has the user.
func TestClockSteps(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		// The age of a report is measured by the database's clock, which does not step.
		w := newWorld(t, service.Config{Store: cfg, Report: identity.ReportConfig{MaxAge: time.Millisecond}})
		for i, step := range []time.Duration{time.Hour, -time.Hour, -24 * time.Hour, 24 * time.Hour} {
			w.clock.advance(step)
			name := fmt.Sprintf("user-%d", i)
			w.user(t, name)
			c := w.asUser(t, name)
			must(t, c.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
			must(t, w.sessionOf(t, c).sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
			w.waitFresh(t)
			if content := string(w.report(t, w.root).Content); !strings.Contains(content, "\n"+name+",") {
				t.Errorf("after a step of %v the report lacks %s:\n%s", step, name, content)
			}
			must(t, w.root.GetAccessKeyLastUsed, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &c.id})
		}
	})
}

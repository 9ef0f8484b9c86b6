package console_test

import (
	"testing"
	"time"

	"rollcall/internal/demo"
	"rollcall/internal/service"
	"rollcall/internal/store"
)

// newDemo returns a world with the account of the demonstration, which has a
// history of two years. There is a report of each day on which something
// happened.
func newDemo(t *testing.T) (*world, *demo.Account) {
	t.Helper()
	clock := &demo.Clock{}
	clock.Set(demo.Years)
	w := newWorld(t, func(c *service.Config) { c.Store.Now = clock.Now })
	a := demo.NewAccount(w.url, w.url, w.root.RootKey.ID, w.root.RootKey.Secret.Reveal(), clock)
	err := a.Tell(t.Context(), func(demo.Step) error { return w.anotherReport(a) })
	if err != nil {
		t.Fatal(err)
	}
	return w, a
}

// anotherReport generates a report at the present time of the account's clock.
func (w *world) anotherReport(a *demo.Account) error {
	ctx := w.t.Context()
	before, err := w.svc.IAM.Reports(ctx, account, 1)
	for err == nil && ctx.Err() == nil {
		if err = a.Request(ctx); err != nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
		var now []store.Report
		now, err = w.svc.IAM.Reports(ctx, account, 1)
		if len(now) > 0 && (len(before) == 0 || now[0].Token != before[0].Token) {
			break
		}
	}
	return err
}

// TestDemonstration signs in Carol as the demonstration says, and takes the
// pictures of docs/console.md.
func TestDemonstration(t *testing.T) {
	t.Parallel()
	w, a := newDemo(t)
	br := w.browse(t)
	br.signIn("Carol", a.Passwords["Carol"])
	br.fill("code", w.code(a.Seeds["Carol"], 1))
	br.press("code")
	for page, says := range map[string]string{
		"overview": "Since the previous report", "report": "Administrator", "report/user?name=Administrator": "What happened",
	} {
		br.open("/console/" + page)
		br.says(says)
	}
	br.Window(1280, 900)
	for _, page := range []string{"overview", "report"} {
		br.open("/console/" + page)
		br.Picture("console-" + page)
	}
}

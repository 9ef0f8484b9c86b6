package service_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/identity"
	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
	"rollcall/report"
)

// waitReport requests a report until there is one, as the documentation shows.
func (w *world) waitReport(t testing.TB, c clients) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(2 * time.Millisecond) {
		if must(t, c.GenerateCredentialReport,
			&iam.GenerateCredentialReportInput{}).State == types.ReportStateTypeComplete {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("no report within a minute")
		}
	}
}

// report returns the newest report.
func (w *world) report(t testing.TB, c clients) *iam.GetCredentialReportOutput {
	t.Helper()
	return must(t, c.GetCredentialReport, &iam.GetCredentialReportInput{})
}

func generate(t testing.TB, c clients) *iam.GenerateCredentialReportOutput {
	t.Helper()
	return must(t, c.GenerateCredentialReport, &iam.GenerateCredentialReportInput{})
}

var started = &iam.GenerateCredentialReportOutput{State: types.ReportStateTypeStarted,
	Description: ptr("No report exists. Starting a new report generation task")}

// second returns another handle on a world's store, as operators' commands use.
func second(t testing.TB, w *world) *store.DB {
	t.Helper()
	return storetest.Open(t, w.cfg.Store)
}

func TestReportLifecycle(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		refused(t, w.root.GetCredentialReport, &iam.GetCredentialReportInput{}, 410, "ReportNotPresent", "")
		same(t, generate(t, w.root), started)
		w.waitReport(t, w.root)
		same(t, generate(t, w.root), &iam.GenerateCredentialReportOutput{State: types.ReportStateTypeComplete})
		first := w.report(t, w.root)
		if first.ReportFormat != types.ReportFormatTypeTextCsv || !first.GeneratedTime.Equal(began) ||
			!bytes.HasPrefix(first.Content, []byte("user,arn,")) {
			t.Errorf("format %s, generated %v, %.20q", first.ReportFormat, first.GeneratedTime, first.Content)
		}
		// A recent report is returned again, byte for byte.
		w.user(t, "new")
		w.clock.advance(time.Hour) // the age is not measured by this clock, but by the store's
		same(t, generate(t, w.root).State, types.ReportStateTypeComplete)
		same(t, w.report(t, w.root), first)
		// Another account does not see it.
		other := w.newAccount(t, emptySpec)
		refused(t, w.as(other.ID, other.Secret.Reveal()).GetCredentialReport, &iam.GetCredentialReportInput{},
			410, "ReportNotPresent", "")
	})
}

// While a node generates a report, other callers get INPROGRESS.
func TestReportInProgress(t *testing.T) {
	t.Parallel()
	for name, cfg := range sharedStores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, service.Config{Store: cfg(t), Report: identity.ReportConfig{MaxAge: 1}})
			w.waitFresh(t)
			old := w.report(t, w.root)
			db, token := second(t, w), int64(0)
			err := db.Update(t.Context(), func(tx *store.Tx) (err error) {
				token, err = tx.StartReportJob(account, "another node", 5*time.Second)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			same(t, generate(t, w.root), &iam.GenerateCredentialReportOutput{State: types.ReportStateTypeInprogress})
			refused(t, w.root.GetCredentialReport, &iam.GetCredentialReportInput{}, 404, "ReportInProgress", "")
			// The other node leaves a piece behind and stops. When its lease has
			// expired, the old report still exists and a new one begins.
			err = db.Update(t.Context(), func(tx *store.Tx) error {
				return tx.AddReportChunks(account, token, 0,
					[]store.ReportChunk{{Size: 5, Data: []byte("rests")}}, 200*time.Millisecond)
			})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(300 * time.Millisecond)
			same(t, w.report(t, w.root), old)
			w.user(t, "new")
			same(t, generate(t, w.root), started)
			w.waitDone(t)
			if got := w.report(t, w.root); !bytes.Contains(got.Content, []byte("\nnew,")) {
				t.Errorf("%s", got.Content)
			}
			err = db.Update(t.Context(), func(tx *store.Tx) error {
				return tx.PublishReport(store.Report{Account: account, Token: token}, store.ReportHistory{Count: 2})
			})
			if !errors.Is(err, store.ErrConflict) {
				t.Errorf("the lost job publishes: %v", err)
			}
		})
	}
}

// waitFresh generates a report, even if there is one.
func (w *world) waitFresh(t testing.TB) {
	t.Helper()
	for generate(t, w.root).State != types.ReportStateTypeStarted {
		time.Sleep(time.Millisecond) // the previous one has the present time
	}
	w.waitDone(t)
}

// waitDone waits until no report is being generated.
func (w *world) waitDone(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		_, err := w.root.GetCredentialReport(t.Context(), &iam.GetCredentialReportInput{})
		if failureOf(err).code != "ReportInProgress" {
			// On a slow machine a report that expires soon has done so already.
			if err != nil && failureOf(err).code != "ReportExpired" {
				t.Fatal(err)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("no report within a minute")
		}
	}
}

// Exactly one caller starts a report, on one node and on two.
func TestReportIsStartedOnce(t *testing.T) {
	t.Parallel()
	once := func(t *testing.T, nodes ...*world) {
		var wait sync.WaitGroup
		var count [3]atomic.Int32
		for i := range 32 {
			wait.Go(func() {
				c := nodes[i%len(nodes)].root
				for {
					out, err := c.GenerateCredentialReport(t.Context(), &iam.GenerateCredentialReportInput{})
					if err != nil {
						t.Error(err)
						return
					}
					switch out.State {
					case types.ReportStateTypeStarted:
						count[0].Add(1)
					case types.ReportStateTypeInprogress:
						count[1].Add(1)
						time.Sleep(10 * time.Millisecond) // leaves the processor to the job
					case types.ReportStateTypeComplete:
						count[2].Add(1)
						return
					}
				}
			})
		}
		wait.Wait()
		if count[0].Load() != 1 || count[2].Load() != 32 {
			t.Errorf("%d callers started it, %d were told to wait, %d that it is complete", count[0].Load(),
				count[1].Load(), count[2].Load())
		}
		all, err := nodes[0].IAM.Reports(t.Context(), account, 10)
		if err != nil || len(all) != 1 {
			t.Errorf("%d reports, %v", len(all), err)
		}
	}
	t.Run("one node", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) { once(t, w) })
	})
	t.Run("two nodes", func(t *testing.T) {
		for name, cfg := range sharedStores {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				one, two := twoNodes(t, cfg(t), service.Config{})
				once(t, one, two)
			})
		}
	})
}

func TestReportExpired(t *testing.T) {
	t.Parallel()
	for name, maxAge := range map[string]time.Duration{"younger than the reuse": time.Hour, "older": time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t,
				service.Config{Report: identity.ReportConfig{MaxAge: maxAge, Expiry: 300 * time.Millisecond}})
			w.waitFresh(t)
			time.Sleep(400 * time.Millisecond)
			refused(t, w.root.GetCredentialReport, &iam.GetCredentialReportInput{}, 410, "ReportExpired", "")
			same(t, generate(t, w.root), started)
			w.waitDone(t)
		})
	}
}

// Prowler repeats the call in a tight loop until COMPLETE, and each of its
// calls changes the content of the next report.
func TestReportInATightLoop(t *testing.T) {
	t.Parallel()
	cfg := service.Config{}
	cfg.Store.Now = time.Now
	w := newWorld(t, cfg)
	for range 3 {
		for calls := 1; generate(t, w.root).State != types.ReportStateTypeComplete; calls++ {
			if calls > 100_000 {
				t.Fatal("no end")
			}
		}
		w.report(t, w.root)
	}
}

// Older reports can be read by the time at which they were the newest.
func TestReportHistory(t *testing.T) {
	t.Parallel()
	three := identity.ReportConfig{MaxAge: 1, History: store.ReportHistory{Count: 3}}
	eachWith(t, service.Config{Report: three}, func(t *testing.T, w *world) {
		var contents []string
		for i := range 5 {
			w.user(t, fmt.Sprintf("user-%d", i))
			w.waitFresh(t)
			contents = append(contents, string(w.report(t, w.root).Content))
			w.clock.advance(time.Hour)
		}
		at := func(d time.Duration) answer {
			return w.raw(t, call("GetCredentialReport", "Rollcall.At="+began.Add(d).Format("2006-01-02T15:04:05Z")))
		}
		for d, want := range map[time.Duration]int{
			2 * time.Hour: 2, 2*time.Hour + 59*time.Minute: 2, 3 * time.Hour: 3, 4 * time.Hour: 4, 1000 * time.Hour: 4,
		} {
			a := at(d)
			var out struct {
				Content       string    `xml:"GetCredentialReportResult>Content"`
				GeneratedTime time.Time `xml:"GetCredentialReportResult>GeneratedTime"`
			}
			if err := unmarshal(a, &out); err != nil {
				t.Fatalf("%v: %v", d, err)
			}
			content, err := base64.StdEncoding.DecodeString(out.Content)
			if err != nil || string(content) != contents[want] ||
				!out.GeneratedTime.Equal(began.Add(time.Duration(want)*time.Hour)) {
				t.Errorf("the report at %v is that of %v", d, out.GeneratedTime)
			}
		}
		wants(t, at(time.Hour), 410, "ReportNotPresent", "") // deleted, because three are kept
		wants(t, at(-time.Hour), 410, "ReportNotPresent", "")
		if a := w.raw(t, call("GetCredentialReport", "Rollcall.At=yesterday")); a.status != 400 ||
			a.code != "MalformedInput" {
			t.Errorf("%+v", a.failure)
		}
	})
}

// If a service ends while it generates a report, the old report stays, and the
// next request starts again at once.
func TestReportInterrupted(t *testing.T) {
	t.Parallel()
	for name, cfg := range sharedStores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, service.Config{Store: cfg(t), Report: identity.ReportConfig{MaxAge: 1}})
			w.waitFresh(t)
			old := w.report(t, w.root)
			if err := storetest.Seed(t.Context(), second(t, w), account, 3_000); err != nil {
				t.Fatal(err)
			}
			w.clock.advance(time.Hour)
			same(t, generate(t, w.root), started)
			w.end()
			cfg := w.cfg
			cfg.Trail = nil // its previous one is closed
			again := start(t, cfg)
			again.root = again.as(w.rootKey.ID, w.rootKey.Secret.Reveal())
			if got := again.report(t, again.root); got.GeneratedTime.Equal(*old.GeneratedTime) {
				same(t, got.Content, old.Content)
			} else if n := bytes.Count(got.Content, []byte("\n")); n != 3_001 {
				t.Errorf("a report of %d lines", n)
			}
			again.waitFresh(t)
			if n := bytes.Count(again.report(t, again.root).Content, []byte("\n")); n != 3_001 {
				t.Errorf("a report of %d lines", n)
			}
		})
	}
}

// A report shows one moment: users who are being renamed appear once, with
// consistent values.
func TestReportIsOneSnapshot(t *testing.T) {
	t.Parallel()
	eachWith(t, service.Config{Report: identity.ReportConfig{MaxAge: 1}}, func(t *testing.T, w *world) {
		const users = 12
		for i := range users {
			w.clock.advance(time.Second)
			w.user(t, fmt.Sprintf("b-%d", i))
			must(t, w.root.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: ptr(fmt.Sprintf("b-%d", i))})
		}
		w.clock.advance(time.Second)
		stop := make(chan struct{})
		var renaming sync.WaitGroup
		for worker := range 2 {
			renaming.Go(func() {
				for round := 0; ; round++ {
					from, to := "b", "a"
					if round%2 == 1 {
						from, to = to, from
					}
					for i := worker; i < users; i += 2 {
						select {
						case <-stop:
							return
						default:
						}
						in := &iam.UpdateUserInput{UserName: ptr(fmt.Sprintf("%s-%d", from, i)),
							NewUserName: ptr(fmt.Sprintf("%s-%d", to, i)), NewPath: ptr("/" + to + "/")}
						if _, err := w.root.UpdateUser(context.Background(), in); err != nil {
							t.Error(err)
							return
						}
					}
				}
			})
		}
		for range 5 {
			w.waitFresh(t)
			content := w.report(t, w.root).Content
			rows, err := report.ReadAll(bytes.NewReader(content))
			if err != nil || len(rows) != users+1 {
				t.Fatalf("%d rows, %v\n%s", len(rows), err, content)
			}
			created := map[string]bool{}
			for _, row := range rows[1:] {
				folder := row.User[:1]
				if folder == "b" && row.Path() != "/b/" && row.Path() != "/" || folder == "a" && row.Path() != "/a/" {
					t.Errorf("user %s has path %s", row.User, row.Path())
				}
				if !row.Keys[0].Active.IsTrue() || row.Keys[1].Exists() ||
					row.Keys[0].LastRotated.String() != row.Created.String() {
					t.Errorf("user %s has the keys %v", row.User, row.Keys)
				}
				created[row.Created.String()] = true
			}
			if len(created) != users {
				t.Errorf("%d users, some twice", len(created))
			}
		}
		close(stop)
		renaming.Wait()
	})
}

func unmarshal(a answer, out any) error { return xml.Unmarshal([]byte(a.body), out) }

// Clients that stop reading a large report only hold some pieces of it in
// memory.
func TestStalledReadersHoldNoReport(t *testing.T) {
	w := newWorld(t, service.Config{Store: storetest.SQLite(t)})
	if err := storetest.Seed(t.Context(), second(t, w), account, 60_000); err != nil {
		t.Fatal(err)
	}
	w.waitReport(t, w.root)
	all, err := w.IAM.Reports(t.Context(), account, 1)
	if err != nil || all[0].Size < 12<<20 {
		t.Fatalf("%+v, %v", all, err)
	}
	memory := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := memory()
	const readers = 20
	for range readers {
		c := dial(t, w)
		io.WriteString(c, w.signedBytes(t, call("GetCredentialReport", "")))
		if line, err := c.ReadString('\n'); err != nil || line != "HTTP/1.1 200 OK\r\n" {
			t.Fatalf("%q, %v", line, err)
		}
	}
	time.Sleep(200 * time.Millisecond)
	held := (memory() - before) / readers
	// One piece of 4 MiB that is being sent, and the next.
	if held > 9<<20 {
		t.Errorf("a reader that stalls holds %d bytes of a report of %d", held, all[0].Size)
	}
}

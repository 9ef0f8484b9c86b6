package identity_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/identity"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// benchmarkUsers returns the number of users in the report benchmarks. The
// variable ROLLCALL_BENCH_USERS sets another number.
func benchmarkUsers() int {
	if n, err := strconv.Atoi(os.Getenv("ROLLCALL_BENCH_USERS")); err == nil {
		return n
	}
	return 20_000
}

func benchmarkEngines(b *testing.B, run func(b *testing.B, w *world)) {
	for name, cfg := range map[string]func(testing.TB) store.Config{"sqlite": storetest.SQLite,
		"postgres": storetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, cfg(b),
				identity.Config{Report: identity.ReportConfig{MaxAge: time.Nanosecond, History: store.ReportHistory{Count: 2}}})
			if err := storetest.Seed(b.Context(), w.db, account, benchmarkUsers()); err != nil {
				b.Fatal(err)
			}
			run(b, w)
		})
	}
}

// BenchmarkGenerateCredentialReport generates whole reports. It measures the time
// from the call to the published report.
func BenchmarkGenerateCredentialReport(b *testing.B) {
	benchmarkEngines(b, func(b *testing.B, w *world) {
		for b.Loop() {
			b.StopTimer()
			if err := w.db.Update(b.Context(), func(tx *store.Tx) error { return tx.StopRecording(account) }); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			// Ages are in milliseconds, so the last report may still be recent.
			for must(b, w.root, w.GenerateCredentialReport,
				&iam.GenerateCredentialReportInput{}).State != types.ReportStateTypeStarted {
			}
			w.waitReport(b)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(benchmarkUsers()), "ns/user")
	})
}

// BenchmarkNextReport generates reports after 100 changes each.
func BenchmarkNextReport(b *testing.B) {
	benchmarkEngines(b, func(b *testing.B, w *world) {
		generate := func() {
			for must(b, w.root, w.GenerateCredentialReport,
				&iam.GenerateCredentialReportInput{}).State != types.ReportStateTypeStarted {
			}
			w.waitReport(b)
		}
		generate()
		round := 0
		for b.Loop() {
			b.StopTimer()
			round++
			status := []string{"Inactive", "Active"}[round%2]
			err := w.db.Update(b.Context(), func(tx *store.Tx) error {
				var errs []error
				for i := range 100 {
					user := i * (benchmarkUsers() / 100) // they have a key
					errs = append(errs, tx.SetCredentialStatus(store.AccessKeyCredential, account,
						fmt.Sprintf("user-%07d", user), storetest.SeedKey(user, 0), status))
				}
				return errors.Join(errs...)
			})
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			generate()
		}
	})
}

// BenchmarkGetCredentialReport reads a report out of the store.
func BenchmarkGetCredentialReport(b *testing.B) {
	benchmarkEngines(b, func(b *testing.B, w *world) {
		must(b, w.root, w.GenerateCredentialReport, &iam.GenerateCredentialReportInput{})
		w.waitReport(b)
		for b.Loop() {
			out := must(b, w.root, w.GetCredentialReport, &identity.GetCredentialReportInput{})
			b.SetBytes(out.Content.Size)
			if err := out.Content.WriteTo(io.Discard); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// waitReport waits until no report is being generated.
func (w *world) waitReport(t testing.TB) {
	t.Helper()
	for {
		var running bool
		err := w.db.View(t.Context(), func(tx *store.Tx) error {
			job, err := tx.ReportJob(account, time.Minute)
			running = job.Running
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if !running {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

package fleet

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

const csv = "user,arn\nBill,arn:aws:iam::123456789012:user/Bill"

func ago(d time.Duration) time.Time { return time.Now().Add(-d) }

func TestFetch(t *testing.T) {
	old, young := 5*time.Hour, time.Minute
	tests := []struct {
		name    string
		options Options
		// answers are created inside the bubble, where time is synthetic.
		answers func() []answer
		source  Source
		err     string
		// least and most limit the synthetic duration.
		least, most time.Duration
	}{
		{
			name: "takes a young report", options: Options{MaxAge: 4 * time.Hour}, source: Cached,
			answers: func() []answer { return []answer{reportOf(ago(young), csv)} },
		},
		{
			name: "takes one of exactly the age", options: Options{MaxAge: young}, source: Cached,
			answers: func() []answer { return []answer{reportOf(ago(young), csv)} },
		},
		{
			name: "requests a report if there is none", options: Options{MaxAge: time.Hour}, source: Generated,
			answers: func() []answer {
				return []answer{notPresent(), started(), notReady(), notReady(), reportOf(ago(0), csv)}
			},
			least: 1200 * time.Millisecond, most: 2200 * time.Millisecond,
		},
		{
			name: "asks where it has expired", options: Options{MaxAge: time.Hour}, source: Generated,
			answers: func() []answer { return []answer{expired(), started(), reportOf(ago(0), csv)} },
			most:    time.Second,
		},
		{
			name: "asks where it is too old", options: Options{MaxAge: 4 * time.Hour}, source: Generated,
			answers: func() []answer {
				return []answer{reportOf(ago(old), "old"), started(), notReady(), reportOf(ago(0), csv)}
			},
			most: 2 * time.Second,
		},
		{
			name:    "asks where it is dated in the future, and takes the one dated before it",
			options: Options{MaxAge: 4 * time.Hour}, source: Generated,
			answers: func() []answer {
				return []answer{reportOf(ago(-2*time.Hour), "old"), started(), notReady(), reportOf(ago(0), csv)}
			},
			most: 2 * time.Second,
		},
		{
			name:    "is not content with the old one while the new is made",
			options: Options{MaxAge: 4 * time.Hour}, source: Generated,
			answers: func() []answer {
				was := reportOf(ago(old), "old")
				return []answer{was, task("INPROGRESS", ""), was, was, reportOf(ago(0), csv)}
			},
			most: 3 * time.Second,
		},
		{
			name: "waits for another's report without asking", options: Options{MaxAge: time.Hour}, source: Generated,
			answers: func() []answer { return []answer{notReady(), notReady(), reportOf(ago(0), csv)} },
			most:    2 * time.Second,
		},
		{
			name: "always asks with no age", source: Generated,
			answers: func() []answer {
				return []answer{reportOf(ago(time.Second), "old"), started(), reportOf(ago(0), csv)}
			},
			most: time.Second,
		},
		{
			name: "says so where the service makes no newer", options: Options{MaxAge: young}, source: Stale,
			answers: func() []answer {
				was := reportOf(ago(time.Hour), csv)
				return []answer{was, task("COMPLETE", ""), was}
			},
		},
		{
			name: "takes one that another's request made this second", source: Cached,
			answers: func() []answer {
				was := reportOf(ago(time.Second), csv)
				return []answer{was, task("COMPLETE", ""), was}
			},
		},
		{
			name: "refuses the old one where fresh is required", options: Options{MaxAge: young, RequireFresh: true},
			answers: func() []answer {
				was := reportOf(ago(time.Hour), csv)
				return []answer{was, task("COMPLETE", ""), was}
			},
			err: "there is no fresh report: the newest report of the service is that of 1999-12-31T23:00:00Z",
		},
		{
			name: "asks again where the report vanished", options: Options{MaxAge: time.Hour}, source: Generated,
			answers: func() []answer {
				return []answer{notPresent(), started(), notPresent(), started(), reportOf(ago(0), csv)}
			},
			most: 2 * time.Second,
		},
		{
			name:    "waits for a report that the service says is complete",
			options: Options{MaxAge: time.Hour}, source: Generated,
			answers: func() []answer {
				c := task("COMPLETE", "")
				return []answer{notPresent(), c, notPresent(), c, notPresent(), c, notPresent(), c, notPresent(),
					started(), reportOf(ago(0), csv)}
			},
			least: time.Second, most: 5 * time.Second,
		},
		{
			name:    "waits as long as it may for one that is complete and never there",
			options: Options{Timeout: 8 * time.Second},
			answers: func() []answer { return forever(notPresent(), task("COMPLETE", "")) },
			err:     "the report was not ready in time (8s): the service says COMPLETE, and then has no report",
			least:   8 * time.Second, most: 8 * time.Second,
		},
		{
			name:    "waits as long as it may for one that is expired and said to be complete",
			options: Options{Timeout: 8 * time.Second},
			answers: func() []answer { return forever(expired(), task("COMPLETE", "")) },
			err:     "the report was not ready in time (8s)",
			least:   8 * time.Second, most: 8 * time.Second,
		},
		{
			name: "waits as long as it may for one that vanishes", options: Options{Timeout: 20 * time.Second},
			answers: func() []answer { return forever(notPresent(), started()) },
			err:     "the report was not ready in time (20s)",
			least:   20 * time.Second, most: 20 * time.Second,
		},
		{
			name:    "takes what the service gives again when asked for a new one",
			options: Options{RequireFresh: true}, source: Cached,
			answers: func() []answer {
				was := reportOf(ago(9*time.Second), csv)
				return []answer{was, task("COMPLETE", ""), was}
			},
		},
		{
			name: "takes what AWS gives again", options: Options{RequireFresh: true}, source: Cached,
			answers: func() []answer {
				was := reportOf(ago(4*time.Hour-time.Second), csv)
				return []answer{was, task("COMPLETE", ""), was}
			},
		},
		{
			name: "calls stale what no service gives again", source: Stale,
			answers: func() []answer {
				was := reportOf(ago(old), csv)
				return []answer{was, task("COMPLETE", ""), was}
			},
		},
		{
			name:    "is not content with a new request's second old report where less is asked for",
			options: Options{MaxAge: 5 * time.Second}, source: Stale,
			answers: func() []answer {
				was := reportOf(ago(9*time.Second), csv)
				return []answer{was, task("COMPLETE", ""), was}
			},
		},
		{
			name: "backs off if there is no capacity", options: Options{MaxAge: time.Hour}, source: Generated,
			answers: func() []answer {
				return []answer{notPresent(), noCapacity(), notPresent(), noCapacity(), notPresent(),
					started(), reportOf(ago(0), csv)}
			},
			least: 2 * time.Second, most: 5 * time.Second,
		},
		{
			name:    "backs off where the SDK's own tries were throttled",
			options: Options{MaxAge: time.Hour}, source: Generated,
			answers: func() []answer {
				g := throttled(generate)
				return []answer{notPresent(), g, g, g, throttled(getting), notPresent(),
					started(), reportOf(ago(0), csv)}
			},
			most: time.Minute,
		},
		{
			name: "gives the old one when time is up", options: Options{MaxAge: time.Hour, Timeout: 20 * time.Second},
			source: Stale,
			answers: func() []answer {
				return []answer{reportOf(ago(old), csv), started(), notReady()}
			},
			least: 20 * time.Second, most: 20 * time.Second,
		},
		{
			name: "fails when time is up and there is none", options: Options{MaxAge: time.Hour},
			answers: func() []answer { return []answer{notPresent(), started(), notReady()} },
			err:     "the report was not ready in time (5m0s): a report is being generated",
			least:   DefaultTimeout, most: DefaultTimeout,
		},
		{
			name:    "fails when time is up and fresh is required",
			options: Options{MaxAge: time.Hour, RequireFresh: true, Timeout: time.Minute},
			answers: func() []answer {
				return []answer{reportOf(ago(old), csv), noCapacity(), reportOf(ago(old), csv), noCapacity()}
			},
			err: "the report was not ready in time (1m0s): An error occurred (LimitExceeded) when calling the " +
				"GenerateCredentialReport operation: No more capacity",
			least: time.Minute, most: time.Minute,
		},
		{
			name: "does not wait where it is denied", options: Options{MaxAge: time.Hour},
			answers: func() []answer { return []answer{refusal(getting, 403, "AccessDenied", "no")} },
			err:     "AccessDenied",
		},
		{
			name: "does not wait where the service fails", options: Options{MaxAge: time.Hour},
			answers: func() []answer { return []answer{refusal(getting, 500, "ServiceFailure", "no")} },
			err:     "ServiceFailure", most: time.Minute, // the SDK's own retries
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				// "capacity" sequences alternate between two actions without
				// end.
				r := play(t, test.answers()...)
				if test.options.RequireFresh && test.options.Timeout > 0 {
					r.answers = alternate(r.answers, 40)
				}
				start := time.Now()
				got, err := r.account().Fetch(t.Context(), test.options)
				took := time.Since(start)
				if took < test.least || took > test.most {
					t.Errorf("took %s, want %s to %s", took, test.least, test.most)
				}
				if test.err != "" {
					if err == nil || !strings.Contains(err.Error(), test.err) {
						t.Fatalf("error %v, want %q", err, test.err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if got.Source != test.source || string(got.Content) != csv {
					t.Errorf("got %q, %s, want %q", got.Content, got.Source, test.source)
				}
				if len(r.answers) > 1 && test.err == "" {
					t.Errorf("%d answers were not asked for; asked %v", len(r.answers)-1, r.asked)
				}
			})
		})
	}
}

// forever returns answers that repeat as often as anybody asks.
func forever(answers ...answer) []answer { return alternate(answers, 40) }

func alternate(answers []answer, n int) []answer {
	var out []answer
	for range n {
		out = append(out, answers...)
	}
	return out
}

// A report that is generated at once is fetched after a fraction of a second. A
// client asks for a slow one at most every ten seconds or so.
func TestFetchWaitsLongerAndLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := play(t, notPresent(), started(), notReady())
		if _, err := r.account().Fetch(t.Context(), Options{Timeout: 2 * time.Minute}); !errors.Is(err, ErrTimeout) {
			t.Fatal(err)
		}
		for i := 2; i < len(r.at); i++ {
			want := lookAfter[min(i-2, len(lookAfter)-1)]
			wait := r.at[i] - r.at[i-1]
			if wait < want*3/4 || wait > want*5/4 {
				t.Errorf("look %d after %s, want about %s", i-1, wait, want)
			}
		}
		if len(r.at) > 22 {
			t.Errorf("%d calls in two minutes", len(r.at))
		}
	})
}

func TestFetchEndsWhenCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := play(t, reportOf(ago(time.Hour), csv), started(), notReady())
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		// There is an old report, but the reason is not the timeout.
		if got, err := r.account().Fetch(ctx, Options{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

func TestFetchTellsOfProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		r := play(t, notPresent(), noCapacity(), notPresent(), started(), notReady(), reportOf(ago(0), csv))
		_, err := r.account().Fetch(t.Context(), Options{Progress: func(s string) { told = append(told, s) }})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"the service is busy, trying again", "report STARTED", "waiting for the report",
			"waiting for the report"}
		if d := cmp.Diff(want, told); d != "" {
			t.Error(d)
		}
	})
}

package fleet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// ServiceReuse is the age up to which a service may return an existing report
// instead of generating a new one. The state is then COMPLETE. It is AWS's own
// limit. Other services reuse reports for a shorter time.
const ServiceReuse = 4 * time.Hour

// DefaultTimeout is the time that Fetch waits for a report.
const DefaultTimeout = 5 * time.Minute

// Options control how a report is fetched. The zero value requests a new one.
type Options struct {
	// MaxAge is the age up to which an existing report is used without
	// requesting a new one; 0 always requests one. The service's newest report
	// then counts as fresh up to MaxAge, or up to ServiceReuse if MaxAge is 0.
	MaxAge time.Duration
	// Timeout limits the whole fetch; 0 means DefaultTimeout.
	Timeout time.Duration
	// RequireFresh returns an error instead of a Stale report.
	RequireFresh bool
	// Progress receives a few words about each step. It may be nil.
	Progress func(string)
}

// ErrNotFresh says that the service only had an old report.
var ErrNotFresh = errors.New("there is no fresh report")

// ErrTimeout says that the report was not ready in time.
var ErrTimeout = errors.New("the report was not ready in time")

// The waits before each check for a report that is being generated, and after
// each refusal of a busy service. The last wait is repeated. A local service
// needs a fraction of a second, AWS some seconds. The SDK has already repeated
// throttled requests.
var (
	lookAfter = []time.Duration{200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second,
		3 * time.Second, 5 * time.Second, 8 * time.Second, 10 * time.Second}
	retryAfter = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second}
)

// resolution is the resolution of the dates of reports. A report of the present
// second may be older than the request.
const resolution = time.Second

// mostFailures is the number of times a run retries after a failure that may
// pass.
const mostFailures = 4

// fetch fetches one report.
type fetch struct {
	Options
	account *Account
	// open connects to the account, if that takes a call.
	open      func(context.Context) (*Account, error)
	again     bool    // failures that may pass are retried here, and not by the SDK
	old       *Report // the newest report so far that is too old
	awaited   bool    // a report is being generated, as far as we know
	settled   bool    // the service said COMPLETE: it generates no newer one now
	promised  bool    // the service has said COMPLETE
	refused   bool    // the service was too busy at the last call
	looks     int     // number of waits of each kind
	refusals  int
	failures  int
	lastState string // the last state of the service, for the error
}

func newFetch(o Options) *fetch {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	return &fetch{Options: o, lastState: "no answer"}
}

// Fetch returns the service's present report if it is not older than o.MaxAge. Otherwise it
// requests a new one and waits for it. If there is no fresh report in time it returns the old one
// as Stale, unless o.RequireFresh is set. Errors are the service's, ErrNotFresh and ErrTimeout.
func (a *Account) Fetch(ctx context.Context, o Options) (*Report, error) {
	f := newFetch(o)
	f.account = a
	bounded, cancel := context.WithTimeout(ctx, f.Timeout)
	defer cancel()
	for {
		r, wait, err := f.step(bounded)
		if r == nil && err == nil {
			err = sleep(bounded, wait)
		}
		switch {
		case err != nil && bounded.Err() != nil && ctx.Err() == nil:
			return f.late()
		case r != nil || err != nil:
			return r, err
		}
	}
}

// step checks for the report once, and requests one if necessary. If it returns
// neither a report nor an error, it has to be called again after the wait.
func (f *fetch) step(ctx context.Context) (r *Report, wait time.Duration, err error) {
	if f.account == nil {
		if f.account, err = f.open(ctx); err != nil {
			f.account = nil
			wait, err = f.trouble(ctx, err)
			return nil, wait, err
		}
	}
	r, err = f.account.Get(ctx)
	if err == nil {
		f.refused = false
		if f.accept(r) {
			r, err = f.checked(r)
			return r, 0, err
		}
		f.old = r
		if f.awaited {
			return nil, f.lookAgain(), nil
		}
		wait, err = f.request(ctx, false)
		return nil, wait, err
	}
	switch situationOf(err) {
	case absent:
		f.awaited, f.settled, f.refused = false, false, false
		wait, err = f.request(ctx, f.promised)
	case inProgress:
		f.awaited, f.settled, f.refused = true, false, false
		f.lastState = "a report is being generated"
		wait, err = f.lookAgain(), nil
	default:
		wait, err = f.trouble(ctx, err)
	}
	return nil, wait, err
}

// accept says whether this report ends the search, and sets its Source.
func (f *fetch) accept(r *Report) bool {
	switch {
	// A later report may have an earlier date, because the service's clock may
	// have stepped back.
	case f.awaited && (f.old == nil || !r.Generated.Equal(f.old.Generated)):
		r.Source = Generated
	case r.youngerThan(f.MaxAge) && f.MaxAge > 0, f.settled && r.youngerThan(f.reuse()):
		r.Source = Cached
	case f.settled:
		r.Source = Stale
	default:
		return false
	}
	return true
}

// reuse returns the age up to which the service returns an existing report when
// a new one is requested.
func (f *fetch) reuse() time.Duration {
	if f.MaxAge == 0 {
		return ServiceReuse
	}
	return max(f.MaxAge, resolution)
}

func (f *fetch) checked(r *Report) (*Report, error) {
	if r.Source == Stale && f.RequireFresh {
		return nil, fmt.Errorf("%w: the newest report of the service is that of %s", ErrNotFresh,
			r.Generated.Format(time.RFC3339))
	}
	return r, nil
}

// request requests a report. again says that the service has answered COMPLETE
// but then had no report. Then it gets as much time as there is.
func (f *fetch) request(ctx context.Context, again bool) (wait time.Duration, err error) {
	task, err := f.account.Request(ctx)
	if err != nil {
		return f.trouble(ctx, err)
	}
	f.refused = false
	f.lastState = task.State
	f.Progress("report " + task.State)
	if task.State == "COMPLETE" {
		f.settled, f.promised = true, true
		if again {
			f.lastState = "the service says COMPLETE, and then has no report"
			return f.lookAgain(), nil
		}
		return 0, nil
	}
	f.awaited = true
	return f.lookAgain(), nil
}

func (f *fetch) lookAgain() time.Duration {
	f.Progress("waiting for the report")
	f.looks++
	return jitter(lookAfter, f.looks)
}

// trouble returns the wait after an error that may pass, or else the error.
func (f *fetch) trouble(ctx context.Context, err error) (wait time.Duration, _ error) {
	busy := situationOf(err) == busy
	switch {
	case ctx.Err() != nil:
		return 0, err
	case busy:
		f.Progress("the service is busy, trying again")
	case f.again && f.failures < mostFailures && passing(err):
		f.failures++
		f.Progress("a call failed, trying again")
	default:
		return 0, err
	}
	f.refused = busy
	f.lastState = err.Error()
	if text, ok := ServiceError(err); ok {
		f.lastState = text
	}
	f.refusals++
	return jitter(retryAfter, f.refusals), nil
}

// late returns the best result at the timeout.
func (f *fetch) late() (*Report, error) {
	if f.old != nil && !f.RequireFresh {
		f.old.Source = Stale
		return f.old, nil
	}
	return nil, fmt.Errorf("%w (%s): %s", ErrTimeout, f.Timeout, f.lastState)
}

// jitter returns the n-th wait, up to a quarter shorter or longer, so that
// clients that began together spread out.
func jitter(waits []time.Duration, n int) time.Duration {
	wait := waits[min(n, len(waits))-1]
	return wait*3/4 + rand.N(wait/2)
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

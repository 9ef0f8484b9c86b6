package fleet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// ServiceReuse is the age up to which a service may give a report again instead
// of making a new one, which it says by the state COMPLETE. It is AWS's own
// limit; others reuse for less.
const ServiceReuse = 4 * time.Hour

// DefaultTimeout says how long Fetch waits for a report.
const DefaultTimeout = 5 * time.Minute

// Options say what report will do. The zero value asks for a new one.
type Options struct {
	// MaxAge says how old a report may be to be taken without asking for a new
	// one; 0 always asks. What the service then says is its newest is fresh up
	// to MaxAge, or up to ServiceReuse where MaxAge is 0.
	MaxAge time.Duration
	// Timeout bounds it all; 0 means DefaultTimeout.
	Timeout time.Duration
	// RequireFresh makes a report that is not fresh an error, where it would be
	// returned as Stale.
	RequireFresh bool
	// Progress is told what happens, in a few words each time. It may be nil.
	Progress func(string)
}

// ErrNotFresh says that the service had only a report that is not fresh.
var ErrNotFresh = errors.New("there is no fresh report")

// ErrTimeout says that the report was not ready in time.
var ErrTimeout = errors.New("the report was not ready in time")

// How long to wait before each look at a report that is being made, and after
// each refusal of a busy service; the last stands for all later ones. A
// service of one's own needs a fraction of a second, AWS some seconds. Throttled
// requests were already repeated by the SDK.
var (
	lookAfter = []time.Duration{200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second,
		3 * time.Second, 5 * time.Second, 8 * time.Second, 10 * time.Second}
	retryAfter = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second}
)

// resolution says how exactly reports are dated: one of this very second cannot
// be told from one made just now.
const resolution = time.Second

// mostFailures says how often a run tries again after a failure that may pass.
const mostFailures = 4

// fetch is one report being got.
type fetch struct {
	Options
	account *Account
	// open reaches the account, where that takes a call of its own.
	open      func(context.Context) (*Account, error)
	again     bool    // failures that may pass are tried again here, and not by the SDK
	old       *Report // the newest seen that is too old
	awaited   bool    // one is being made, so far as we know
	settled   bool    // the service said COMPLETE: it makes no newer one now
	promised  bool    // the service has said COMPLETE
	refused   bool    // the service was too busy when it was asked last
	looks     int     // waits of each kind
	refusals  int
	failures  int
	lastState string // what the service said last, for the error
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

// Fetch returns a report: the one the service has where it is not older than
// o.MaxAge, or else the one that comes of asking for a new one. Where there is
// no fresh one in time it returns the old one as Stale, unless o.RequireFresh. Errors are the service's, ErrNotFresh
// and ErrTimeout.
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

// step looks for the report once, and asks for one where that helps. It
// returns neither a report nor an error where it has to be called again, after
// the wait.
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

// accept says whether the search is over with this report, and sets its
// Source.
func (f *fetch) accept(r *Report) bool {
	switch {
	// A report that came after another need not be dated after it: the
	// service's clock may have stepped back.
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

// reuse returns how old a report may be that the service gives again when it is
// asked for a new one.
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

// request asks for a report. again says that the service has said COMPLETE, and
// then had none: it is given time, as much as there is.
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

// trouble is the wait after an error that may pass, or the error.
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

// late returns the best result when the time is up.
func (f *fetch) late() (*Report, error) {
	if f.old != nil && !f.RequireFresh {
		f.old.Source = Stale
		return f.old, nil
	}
	return nil, fmt.Errorf("%w (%s): %s", ErrTimeout, f.Timeout, f.lastState)
}

// jitter is the n-th wait, a quarter shorter or longer, so that many who
// began together do not stay together.
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

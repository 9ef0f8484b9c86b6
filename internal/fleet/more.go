package fleet

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/history"
)

// More reads from accounts what their reports do not contain. A run begins with that
// when all reports are in the folder, so no report waits for it. What is missing in the
// end is in Outcome.NoFacts.
type More struct {
	// Read reads about one account, continues from what is saved beside its
	// report, and saves the result there, even if the context ends. open connects
	// to the account. All requests of the client together, and those of all
	// accounts, are at most Run.Concurrency at a time. missing says in one line
	// what is missing. An error ends the run.
	Read func(ctx context.Context, s history.Snapshot, open func(context.Context) (*iam.Client, error),
		tell func(string)) (missing string, err error)
	// Has says whether nothing is missing beside a report.
	Has func(history.Snapshot) bool
	// Timeout limits all accounts together; 0 means Run.Timeout. Run.Timeout
	// limits each account.
	Timeout time.Duration
}

// waiting is a target that has its report.
type waiting struct {
	target  int
	report  history.Snapshot
	account *Account // nil if it was not asked
}

// accountsAtOnce is the number of accounts that are read at the same time, for each
// request that may run. An account that is throttled sends no requests for a while.
const accountsAtOnce = 4

// FactsLate returns the reason for the end of a reading that took too long.
func FactsLate(after time.Duration) error { return fmt.Errorf("the time was over after %s", after) }

// reuse reports whether the report in the folder is all that is needed now. Facts are
// only added to a report that was generated a short time ago.
func (u *activeRun) reuse(i int, s history.Snapshot) bool {
	if u.More == nil || u.More.Has(s) {
		u.end(i, history.Cached, "", s.GeneratedAt)
		return true
	}
	if u.began.Sub(s.GeneratedAt) > ServiceReuse {
		return false
	}
	u.await(i, u.outcome(u.targets[i], history.Cached, "", s.GeneratedAt), s, nil)
	return true
}

// await records that a target has its report, and lacks the rest.
func (u *activeRun) await(i int, o history.Outcome, s history.Snapshot, account *Account) {
	o.NoFacts, o.FactsUnfinished = "not read yet", true
	if !u.record(i, o) {
		return
	}
	u.mu.Lock()
	u.waiting = append(u.waiting, waiting{i, s, account})
	u.mu.Unlock()
	u.Tell(i, "")
	u.Saved(i)
}

// readMore reads More of the targets that wait for it.
func (u *activeRun) readMore(ctx context.Context) {
	if len(u.waiting) == 0 || ctx.Err() != nil {
		return
	}
	each := cmp.Or(u.Timeout, DefaultTimeout)
	whole := cmp.Or(u.More.Timeout, each)
	bounded, cancel := context.WithTimeoutCause(ctx, whole, FactsLate(whole))
	defer cancel()
	active := make(chan struct{}, accountsAtOnce*u.Concurrency)
	var all sync.WaitGroup
	for _, w := range u.waiting {
		select {
		case active <- struct{}{}:
		case <-bounded.Done():
		}
		if ctx.Err() != nil {
			break
		}
		if bounded.Err() != nil {
			u.enrich(bounded, w)
			continue
		}
		all.Go(func() {
			defer func() { <-active }()
			one, cancel := context.WithTimeoutCause(bounded, each, FactsLate(each))
			defer cancel()
			u.enrich(one, w)
		})
	}
	all.Wait()
}

// enrich reads More of one target. At the end of the time it saves what there is.
func (u *activeRun) enrich(ctx context.Context, w waiting) {
	tell := func(what string) { u.Tell(w.target, what) }
	tell("asking for facts")
	missing, err := u.More.Read(ctx, w.report, func(ctx context.Context) (*iam.Client, error) {
		return u.client(ctx, w)
	}, tell)
	if err != nil {
		u.fail(err)
		return
	}
	o := u.outcomes[w.target]
	o.At = time.Now().Truncate(time.Second)
	o.NoFacts, o.FactsUnfinished = oneLine(missing), missing != "" && ctx.Err() != nil
	if u.record(w.target, o) {
		u.Done(w.target, o)
	}
}

// client returns a client that holds a slot for each request. It connects to the
// account if the run has not asked it before.
func (u *activeRun) client(ctx context.Context, w waiting) (*iam.Client, error) {
	account := w.account
	for refusals := 1; account == nil; refusals++ {
		err := u.pace.Wait(ctx)
		if err != nil || !u.take(ctx) {
			return nil, context.Cause(ctx)
		}
		account, err = u.targets[w.target].Open(ctx)
		u.release()
		switch {
		case err == nil:
		case refusals > mostFailures, situationOf(err) != busy && !passing(err):
			return nil, err
		default:
			account = nil
			if sleep(ctx, jitter(retryAfter, refusals)) != nil {
				return nil, err
			}
		}
	}
	o := account.iam.Options()
	o.HTTPClient = limited{o.HTTPClient, u}
	return iam.New(o), nil
}

// limited holds a slot for each request, until its answer has been read. A call that
// waits to be repeated holds none.
type limited struct {
	next iam.HTTPClient
	run  *activeRun
}

// Do sends a request.
func (l limited) Do(r *http.Request) (*http.Response, error) {
	if !l.run.take(r.Context()) {
		return nil, context.Cause(r.Context())
	}
	defer l.run.release()
	answer, err := l.next.Do(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

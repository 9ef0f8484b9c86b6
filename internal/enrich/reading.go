package enrich

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"

	"rollcall/internal/audit"
)

// DefaultConcurrency is the default number of users whose facts are read at
// once. IAM allows some tens of calls per second for all callers of an account
// together, and the SDK slows down if it is throttled.
const DefaultConcurrency = 8

// Reading reads facts of the given kinds about every user of an account. It
// calls once for each user and kind, twice for service credentials.
type Reading struct {
	Kinds []Kind
	// Before holds what an earlier reading has found, nil for nothing. What is
	// known about a user who still exists is not read again.
	Before *audit.Enrichment
	// Concurrency limits the users that are read at once; 0 means
	// DefaultConcurrency.
	Concurrency int
	// Explain returns an error in one line; nil means its text.
	Explain func(error) string
	// Progress receives the number of users that are done, from several
	// goroutines. It may be nil.
	Progress func(done, all int)
	// Save receives what was found so far, at growing intervals, from one
	// goroutine at a time. An error ends the reading. It may be nil.
	Save func(*audit.Enrichment) error
}

// The number of tries for a call, and of users whose calls may fail. With
// thousands of calls, some are throttled or lost. If many fail, all would.
const attempts, mostFailures = 10, 4

// saveEvery is the time between two calls of Save. If a call takes longer than
// a tenth of it, the time grows.
const saveEvery = 5 * time.Second

// reader is a reading in progress.
type reader struct {
	Reading
	c      *iam.Client
	cancel context.CancelCauseFunc

	mu       sync.Mutex
	found    *audit.Enrichment
	denied   map[Kind]error
	failures int
	failure  error // the first one
	all      int   // number of users
	done     int
	saved    time.Time
	pause    time.Duration // until the next Save
	saving   bool
}

// Read reads the facts. It returns all that it has found, even if the context
// ends before everything is read. Missing says what is missing. A kind whose call is
// denied is not tried for other users. The error is that of Save.
func (r Reading) Read(ctx context.Context, c *iam.Client) (*audit.Enrichment, error) {
	in := r.begin(c)
	users, err := in.list(ctx)
	if err != nil {
		Lose(in.found, r.Kinds, in.why(ctx, err))
		return in.found, nil
	}
	if err := in.each(ctx, users); err != nil {
		return nil, err
	}
	in.judge(ctx)
	return in.found, nil
}

// begin returns the reading before its first call.
func (r Reading) begin(c *iam.Client) *reader {
	if r.Concurrency <= 0 {
		r.Concurrency = DefaultConcurrency
	}
	if r.Progress == nil {
		r.Progress = func(int, int) {}
	}
	return &reader{Reading: r, c: patient(c), denied: map[Kind]error{}, found: r.before(),
		saved: time.Now(), pause: saveEvery}
}

// renewing repeats a call whose session ended on the way, with a new session. The SDK
// would keep the old one until its own clock says that it has ended.
func renewing(c aws.CredentialsProvider) retry.IsErrorRetryableFunc {
	return func(err error) aws.Ternary {
		var said smithy.APIError
		if !errors.As(err, &said) || said.ErrorCode() != "ExpiredToken" {
			return aws.UnknownTernary
		}
		if c, ok := c.(*aws.CredentialsCache); ok {
			c.Invalidate()
		}
		return aws.TrueTernary
	}
}

// patient returns a client that slows down when the account is throttled, with
// all of its calls together, and repeats calls more often than others.
func patient(c *iam.Client) *iam.Client {
	return iam.New(c.Options(), func(o *iam.Options) {
		o.Retryer = retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
			o.StandardOptions = append(o.StandardOptions, func(o *retry.StandardOptions) {
				o.MaxAttempts, o.RateLimiter = attempts, ratelimit.None
				o.Retryables = append(o.Retryables, renewing(c.Options().Credentials))
			})
		})
	})
}

// before returns a copy of Before for this reading to complete.
func (r Reading) before() *audit.Enrichment {
	e := &audit.Enrichment{}
	if r.Before != nil {
		*e = *r.Before
	}
	e.Users, e.Missing = maps.Clone(e.Users), nil
	if e.Users == nil {
		e.Users = map[string]audit.UserFacts{}
	}
	if slices.Contains(r.Kinds, MFA) {
		e.RootVirtualMFA = audit.Unknown
	}
	return e
}

// Lose records that kinds of facts are missing.
func Lose(e *audit.Enrichment, kinds []Kind, why string) {
	for _, k := range kinds {
		if e.Missing == nil {
			e.Missing = map[string]string{}
		}
		e.Missing[string(k)] = why
	}
}

// why returns the reason of a failed call. After the end of the context, that
// is the reason for the end.
func (r *Reading) why(ctx context.Context, err error) string {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if r.Explain == nil {
		return err.Error()
	}
	return r.Explain(err)
}

// each reads what is missing about the users, several users at once.
func (r *reader) each(ctx context.Context, users []types.User) error {
	ctx, r.cancel = context.WithCancelCause(ctx)
	defer r.cancel(nil)
	rest := r.rest(users)
	r.all, r.done = len(users), len(users)-len(rest)
	todo := make(chan types.User)
	var all sync.WaitGroup
	for range min(r.Concurrency, len(rest)) {
		all.Go(func() {
			for u := range todo {
				if ctx.Err() == nil {
					r.user(ctx, u)
					r.save()
				}
			}
		})
	}
	for _, u := range rest {
		select {
		case todo <- u:
		case <-ctx.Done():
		}
	}
	close(todo)
	all.Wait()
	var unsaved *saveError
	if errors.As(context.Cause(ctx), &unsaved) {
		return unsaved.err
	}
	return nil
}

// rest returns the users about whom something is to be read. It forgets what is
// known about other users than these.
func (r *reader) rest(users []types.User) (rest []types.User) {
	known := r.found.Users
	r.found.Users = make(map[string]audit.UserFacts, len(users))
	for _, u := range users {
		name := aws.ToString(u.UserName)
		facts, ok := known[name]
		if now := newFacts(u); !ok || !facts.Created.Equal(now.Created) || facts.UserID != now.UserID {
			facts = now
		}
		r.found.Users[name] = facts
		if slices.ContainsFunc(r.Kinds, func(k Kind) bool { return !k.known(&facts) }) {
			rest = append(rest, u)
		}
	}
	return rest
}

func newFacts(u types.User) audit.UserFacts {
	return audit.UserFacts{Created: seconds(u.CreateDate), UserID: aws.ToString(u.UserId)}
}

// user reads what is missing about a user.
func (r *reader) user(ctx context.Context, u types.User) {
	name := aws.ToString(u.UserName)
	r.mu.Lock()
	facts := r.found.Users[name]
	r.mu.Unlock()
	for _, k := range r.Kinds {
		if k.known(&facts) || r.refused(k) != nil {
			continue
		}
		err := r.read(ctx, k, u.UserName, &facts)
		switch {
		case err == nil:
			continue
		case ctx.Err() != nil:
		case gone(err): // deleted since the users were listed
			r.forget(name)
			return
		case denied(err):
			r.deny(k, err)
			continue
		default:
			r.fail(err)
		}
		break
	}
	r.mu.Lock()
	r.found.Users[name] = facts
	r.done++
	done, all := r.done, r.all
	r.mu.Unlock()
	r.Progress(done, all)
}

func (r *reader) forget(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.found.Users, name)
	r.all--
}

func (r *reader) refused(k Kind) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.denied[k]
}

func (r *reader) deny(k Kind, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.denied[k] = err
}

// fail counts a user whose calls failed.
func (r *reader) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failures++; r.failures == 1 {
		r.failure = err
	}
	if r.failures == mostFailures {
		r.cancel(r.failure)
	}
}

// saveError is an error of Save.
type saveError struct{ err error }

func (e *saveError) Error() string { return e.err.Error() }

// save passes what was found so far to Save if it is time.
func (r *reader) save() {
	r.mu.Lock()
	if r.Save == nil || r.saving || time.Since(r.saved) < r.pause {
		r.mu.Unlock()
		return
	}
	r.saving = true
	now := *r.found
	now.Users = maps.Clone(now.Users)
	Lose(&now, r.Kinds, "the reading was interrupted")
	r.mu.Unlock()
	began := time.Now()
	if err := r.Save(&now); err != nil {
		r.cancel(&saveError{err})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.saved, r.saving = time.Now(), false
	r.pause = max(saveEvery, 10*r.saved.Sub(began))
}

// lacking returns the number of users about whom facts of a kind are not known.
func (r *reader) lacking(k Kind) (n int) {
	for _, facts := range r.found.Users {
		if !k.known(&facts) {
			n++
		}
	}
	return n
}

// judge completes the facts that concern the whole account, and says what is
// missing.
func (r *reader) judge(ctx context.Context) {
	for _, k := range r.Kinds {
		n := r.lacking(k)
		switch err := r.denied[k]; {
		case err != nil:
			Lose(r.found, []Kind{k}, r.why(context.WithoutCancel(ctx), err))
		case n > 0:
			Lose(r.found, []Kind{k}, fmt.Sprintf("%d of %d users: %s", n, len(r.found.Users), r.why(ctx, r.failure)))
		}
	}
	if !slices.Contains(r.Kinds, MFA) {
		return
	}
	var err error
	if r.found.RootVirtualMFA, err = r.rootVirtualMFA(ctx); err != nil && r.found.Missing[string(MFA)] == "" {
		Lose(r.found, []Kind{MFA}, "the devices of root: "+r.why(ctx, err))
	}
}

// Missing says in one line which of the facts that were asked for are missing,
// and why; "" for none.
func Missing(e *audit.Enrichment) string {
	var why []string // reasons, in the order of kinds
	kinds := map[string][]string{}
	for _, k := range slices.Sorted(maps.Keys(e.Missing)) {
		reason := strings.TrimSuffix(e.Missing[k], ".")
		if kinds[reason] == nil {
			why = append(why, reason)
		}
		kinds[reason] = append(kinds[reason], k)
	}
	for i, reason := range why {
		why[i] = strings.Join(kinds[reason], ", ") + ": " + reason
	}
	return strings.Join(why, "; ")
}

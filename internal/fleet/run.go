package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"golang.org/x/time/rate"

	"rollcall/internal/history"
)

// DefaultConcurrency says how many calls of a run are under way at once.
const DefaultConcurrency = 16

// Target is an account that a run asks for its report.
type Target struct {
	Account      string // twelve digits
	Name         string // as people call it, "" for none
	Partition    string
	Organization string
	Profile      string // that it was reached by, "" for none
	Endpoint     string // of its service; "" is AWS
	// Inactive says why it is not asked at all, "" where it is.
	Inactive history.Status
	// Open reaches it. It may call STS.
	Open func(context.Context) (*Account, error)
}

// Run gets the reports of many accounts into a folder.
type Run struct {
	Folder *history.Folder
	// MaxAge and Timeout are as in Options, for each account by itself. Time
	// counts from when all accounts have been asked.
	MaxAge, Timeout time.Duration
	// Resume goes on where a run of the folder was interrupted: what that run got
	// will do, up to ServiceReuse.
	Resume bool
	// Concurrency bounds the calls that are under way at once; 0 means
	// DefaultConcurrency. Accounts that wait for their report count for none.
	Concurrency int
	// More asks an account for more than its report; nil asks for nothing.
	More *More
	// Tell is told what happens to the target of this index, in a few words,
	// from several goroutines. It may be nil.
	Tell func(target int, what string)
	// Done is told how it ended, from several goroutines. It may be nil.
	Done func(target int, o history.Outcome)
}

// More is a request of a run beyond reports. Its result is kept next to the
// report, as JSON. If it fails the report stays, and Outcome.NoFacts says why.
type More struct {
	// Read asks for it. It holds the place of one of Run.Concurrency calls, and
	// is not bounded by Run.Timeout.
	Read func(ctx context.Context, account string, client *iam.Client) (any, error)
	// Has says whether what is kept beside a report in the folder will do.
	Has func(history.Snapshot) bool
}

// activeRun is one run under way.
type activeRun struct {
	Run
	targets  []Target
	outcomes []history.Outcome
	began    time.Time
	pace     *rate.Limiter // of accounts asked for the first time
	slots    chan struct{} // one for each call that is under way
	allAsked chan struct{} // closed when every account's first call has its slot
	fail     context.CancelCauseFunc
}

// How many accounts are asked first in a second, and at once: well below the
// 600 requests per second that STS documents for an account.
const asksPerSecond, asksAtOnce = 100, 20

// Fetch gets a report of every target and returns how it went with each, in
// their order. Every account is asked for its report before any is looked for
// again, so that it takes as long as the slowest account and not as all
// together.
//
// What has come is in the folder, whatever happens to the rest; so is, from the
// beginning, that the others are expected. A run that is repeated asks those
// again of which there is no report younger than MaxAge. The error is the
// context's, or says that the folder could not be written.
func (r Run) Fetch(ctx context.Context, targets []Target) ([]history.Outcome, error) {
	if r.Concurrency <= 0 {
		r.Concurrency = DefaultConcurrency
	}
	if r.Tell == nil {
		r.Tell = func(int, string) {}
	}
	if r.Done == nil {
		r.Done = func(int, history.Outcome) {}
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	u := &activeRun{
		Run: r, targets: targets, outcomes: make([]history.Outcome, len(targets)), began: time.Now(),
		pace: rate.NewLimiter(asksPerSecond, asksAtOnce), slots: make(chan struct{}, r.Concurrency),
		allAsked: make(chan struct{}), fail: fail,
	}
	wanted := u.prepare()
	var all sync.WaitGroup
	for _, i := range wanted {
		// Roles are assumed from one account, whose STS has a limit for all
		// its callers together.
		if u.pace.Wait(ctx) != nil || !u.take(ctx) {
			break
		}
		all.Go(func() { u.fetch(ctx, i) })
	}
	close(u.allAsked)
	all.Wait()
	return u.outcomes, context.Cause(ctx)
}

// take takes a slot, and says whether there was one before the end of the
// context.
func (u *activeRun) take(ctx context.Context) bool {
	select {
	case u.slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (u *activeRun) release() { <-u.slots }

// prepare settles the targets that need no call, and puts down that the others
// are expected. It returns these.
func (u *activeRun) prepare() (wanted []int) {
	interrupted := u.interrupted()
	for i, t := range u.targets {
		if s, ok := u.saved(t, u.willDo(t, interrupted)); ok {
			u.end(i, history.Cached, "", s.GeneratedAt)
			continue
		}
		if t.Inactive != "" {
			u.end(i, t.Inactive, "", time.Time{})
			continue
		}
		u.outcomes[i] = u.outcome(t, history.Unfinished, "", time.Time{})
		if err := u.Folder.SetOutcome(u.outcomes[i]); err != nil {
			u.fail(fmt.Errorf("record the expected accounts: %w", err))
			return nil
		}
		wanted = append(wanted, i)
	}
	return wanted
}

// ClockSkew says how far a report's date may be ahead of this machine's clock.
const ClockSkew = 5 * time.Minute

// interrupted returns the beginning of the last interrupted run; zero if none
// was.
func (u *activeRun) interrupted() (run time.Time) {
	for _, t := range u.targets {
		if o, err := u.Folder.Outcome(t.Account); err == nil && o.Status == history.Unfinished && o.Run.After(run) {
			run = o.Run
		}
	}
	return run
}

// willDo returns how old the target's report in the folder may be to do.
func (u *activeRun) willDo(t Target, interrupted time.Time) time.Duration {
	if u.Resume && !interrupted.IsZero() {
		if o, err := u.Folder.Outcome(t.Account); err == nil && o.Run.Equal(interrupted) && !o.GeneratedAt.IsZero() {
			return max(u.MaxAge, ServiceReuse)
		}
	}
	return u.MaxAge
}

// saved returns the target's newest report in the folder where it will do: one
// of the same service, young enough and undamaged.
func (u *activeRun) saved(t Target, maxAge time.Duration) (history.Snapshot, bool) {
	s, err := u.Folder.Newest(t.Account, time.Time{})
	if err != nil || t.Inactive != "" || s.Partition != t.Partition || s.Endpoint != t.Endpoint {
		return s, false
	}
	age := u.began.Sub(s.GeneratedAt)
	if age > maxAge || maxAge == 0 || age < -ClockSkew {
		return s, false
	}
	_, err = s.Read()
	return s, err == nil && (u.More == nil || u.More.Has(s))
}

// fetch gets one report. It begins with a slot, and holds one for every call
// and none while it waits.
func (u *activeRun) fetch(ctx context.Context, i int) {
	f := newFetch(Options{
		MaxAge: u.MaxAge, Timeout: u.Timeout,
		Progress: func(what string) { u.Tell(i, what) },
	})
	f.open, f.again = u.targets[i].Open, true
	bounded, cancel := context.WithCancel(ctx)
	defer cancel()
	clock := time.AfterFunc(f.Timeout, cancel)
	defer clock.Stop()
	restart := sync.OnceFunc(func() {
		if bounded.Err() == nil {
			clock.Reset(f.Timeout)
		}
	})
	u.Tell(i, "asking")
	for {
		wait, over := u.step(bounded, ctx, i, f)
		u.release()
		if over {
			return
		}
		err := sleep(bounded, wait)
		<-u.allAsked // all others come first, which costs this one no time
		restart()
		if err == nil && u.take(bounded) {
			continue
		}
		if ctx.Err() == nil && u.take(ctx) {
			r, err := f.late()
			u.settle(ctx, i, f, r, err)
			u.release()
		}
		return
	}
}

// step is one step of a fetch, and says whether it was the last.
func (u *activeRun) step(bounded, ctx context.Context, i int, f *fetch) (wait time.Duration, over bool) {
	r, wait, err := f.step(bounded)
	switch {
	case ctx.Err() != nil:
		return 0, true
	case err != nil && bounded.Err() != nil:
		r, err = f.late()
	case r == nil && err == nil:
		return wait, false
	}
	u.settle(ctx, i, f, r, err)
	return 0, true
}

// settle saves what a fetch came to.
func (u *activeRun) settle(ctx context.Context, i int, f *fetch, r *Report, err error) {
	if err != nil {
		u.end(i, statusOf(err, f), Explain(err), time.Time{})
		return
	}
	t := u.targets[i]
	if err := checkReport(r.Content, t.Account); err != nil {
		u.end(i, history.Failed, err.Error(), time.Time{})
		return
	}
	s, err := u.Folder.Save(history.Meta{
		Account: t.Account, Partition: t.Partition, GeneratedAt: r.Generated, FetchedAt: r.Fetched,
		Source: string(r.Source), Endpoint: t.Endpoint,
	}, r.Content)
	switch {
	case errors.Is(err, history.ErrDiffers), errors.Is(err, history.ErrDamaged):
		u.end(i, history.Failed, err.Error(), time.Time{})
		return
	case err != nil:
		u.fail(err)
		return
	}
	status, why := history.OK, ""
	switch r.Source {
	case Cached:
		status = history.Cached
	case Stale:
		status, why = history.Stale, staleBecause(f)
	}
	noFacts := u.more(ctx, i, f, s)
	if ctx.Err() != nil {
		return
	}
	u.record(i, status, why, noFacts, s.GeneratedAt)
}

// more asks for what is wanted beyond the report, and says why it did not come.
func (u *activeRun) more(ctx context.Context, i int, f *fetch, s history.Snapshot) (noFacts string) {
	if u.More == nil {
		return ""
	}
	u.Tell(i, "asking for more than the report")
	facts, err := u.More.Read(ctx, s.Account, f.account.IAM())
	if err != nil {
		return Explain(err)
	}
	if err := u.Folder.SaveFacts(s, facts); err != nil {
		u.fail(err)
	}
	return ""
}

func staleBecause(f *fetch) string {
	if f.settled {
		return "the service generates no newer one"
	}
	return "no newer one in time: " + f.lastState
}

// end records the outcome of a target.
func (u *activeRun) end(i int, s history.Status, message string, generated time.Time) {
	u.record(i, s, message, "", generated)
}

func (u *activeRun) record(i int, s history.Status, message, noFacts string, generated time.Time) {
	o := u.outcome(u.targets[i], s, message, generated)
	o.NoFacts = oneLine(noFacts)
	u.outcomes[i] = o
	if err := u.Folder.SetOutcome(o); err != nil {
		u.fail(fmt.Errorf("record an outcome: %w", err))
		return
	}
	u.Done(i, o)
}

func (u *activeRun) outcome(t Target, s history.Status, message string, generated time.Time) history.Outcome {
	return history.Outcome{
		Account: t.Account, Name: t.Name, Partition: t.Partition, Organization: t.Organization, Profile: t.Profile,
		Status: s, Message: oneLine(message), GeneratedAt: generated, At: time.Now().Truncate(time.Second),
		Run: u.began.Truncate(time.Second),
	}
}

// statusOf returns the meaning of an error for the account.
func statusOf(err error, f *fetch) history.Status {
	switch {
	case errors.Is(err, ErrTimeout) && f.refused, situationOf(err) == busy:
		return history.Throttled
	case errors.Is(err, ErrTimeout):
		return history.Timeout
	case denied(err):
		return history.Denied
	}
	return history.Failed
}

// Explain is an error in one line, a service's in the AWS CLI's words.
func Explain(err error) string {
	text, ok := ServiceError(err)
	if !ok || errors.Is(err, ErrTimeout) {
		text = err.Error()
	}
	return text
}

// oneLine returns the text of others as a record keeps it: one line, and nothing
// in it that acts upon a terminal.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\ufffd'
	}, strings.Join(strings.Fields(text), " "))
}

// ProfileFailed is the outcome of a profile whose credentials failed. Its
// account is known only where the profile has a role.
func ProfileFailed(ctx context.Context, profile string, err error) history.Outcome {
	now := time.Now().Truncate(time.Second)
	o := history.Outcome{Name: oneLine(profile), Profile: profile, Status: history.Failed,
		Message: oneLine(Explain(err)), At: now, Run: now}
	if denied(err) {
		o.Status = history.Denied
	}
	env, err := config.NewEnvConfig()
	if err != nil {
		return o
	}
	configured, err := loadProfile(ctx, profile, env)
	if account := accountOfRole(configured.RoleARN); err == nil && history.IsAccountID(account) {
		o.Account = account
		o.Partition = strings.Split(configured.RoleARN, ":")[1]
	}
	return o
}

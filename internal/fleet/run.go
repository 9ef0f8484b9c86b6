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
	"golang.org/x/time/rate"

	"rollcall/internal/history"
)

// DefaultConcurrency is the default number of simultaneous calls of a run.
const DefaultConcurrency = 16

// Target is an account whose report a run requests.
type Target struct {
	Account      string // twelve digits
	Name         string // its name, "" for none
	Partition    string
	Organization string
	Profile      string // the profile that gives access to it, "" for none
	Endpoint     string // endpoint of its service; "" is AWS
	// Caller is the ARN of the identity that asks, and Role the ARN of the role that
	// it assumes in the account, "" for none.
	Caller, Role string
	// Inactive is the reason for not asking the account, "" for none.
	Inactive history.Status
	// Open connects to the account. It may call STS.
	Open func(context.Context) (*Account, error)
}

// Run fetches the reports of many accounts into a folder.
type Run struct {
	Folder *history.Folder
	// Command is the command line, which is kept with each report.
	Command string
	// MaxAge and Timeout are those of Options, for each account. The timeout
	// begins when all accounts have been asked.
	MaxAge, Timeout time.Duration
	// Resume continues an interrupted run of the folder. It reuses the reports of
	// that run, up to the age ServiceReuse.
	Resume bool
	// Concurrency limits the number of simultaneous calls; 0 means
	// DefaultConcurrency. Accounts that wait for their report do not count.
	Concurrency int
	// More reads more than the report from the accounts; nil reads nothing more.
	More *More
	// Tell receives a few words about each step of the target with this index,
	// from several goroutines. It may be nil.
	Tell func(target int, what string)
	// Saved receives a target whose report is in the folder and for which More is
	// to be read. It may be nil.
	Saved func(target int)
	// Done receives the outcome of a target, from several goroutines. It may be
	// nil.
	Done func(target int, o history.Outcome)
}

// activeRun is the state of a run.
type activeRun struct {
	Run
	targets  []Target
	outcomes []history.Outcome
	began    time.Time
	pace     *rate.Limiter // limits the first requests to accounts
	slots    chan struct{} // holds one entry for each call in progress
	allAsked chan struct{} // closed when every account's first call has started
	fail     context.CancelCauseFunc
	mu       sync.Mutex
	waiting  []waiting // targets that have their report, and wait for More
}

// The number of accounts that are asked first in a second, and at once. They
// are well below the 600 requests per second that STS documents for an account.
const asksPerSecond, asksAtOnce = 100, 20

// Fetch fetches a report of every target and returns the outcomes, in order. It
// requests the report of every account before it checks any of them, so the run
// takes as long as the slowest account and not as all together.
//
// Fetched reports are saved in the folder, whatever happens to the rest. So
// are, from the beginning, unfinished outcomes for the others. A repeated run
// asks only the accounts without a report younger than MaxAge. When all reports
// are there, the run reads More. The error is the context's, or says that the folder
// is not writable.
func (r Run) Fetch(ctx context.Context, targets []Target) ([]history.Outcome, error) {
	if r.Concurrency <= 0 {
		r.Concurrency = DefaultConcurrency
	}
	if r.Tell == nil {
		r.Tell = func(int, string) {}
	}
	if r.Saved == nil {
		r.Saved = func(int) {}
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
		// Roles are assumed from one account, and its STS has one limit for all
		// its callers.
		if u.pace.Wait(ctx) != nil || !u.take(ctx) {
			break
		}
		all.Go(func() { u.fetch(ctx, i) })
	}
	close(u.allAsked)
	all.Wait()
	u.readMore(ctx)
	return u.outcomes, context.Cause(ctx)
}

// take waits for a slot. It returns false if the context ends first.
func (u *activeRun) take(ctx context.Context) bool {
	select {
	case u.slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (u *activeRun) release() { <-u.slots }

// prepare finishes the targets that need no call, and records that the others
// are expected. It returns the others.
func (u *activeRun) prepare() (wanted []int) {
	interrupted := u.interrupted()
	for i, t := range u.targets {
		if s, ok := u.saved(t, u.willDo(t, interrupted)); ok && u.reuse(i, s) {
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

// ClockSkew is the limit for how far a report's date may be ahead of this
// machine's clock.
const ClockSkew = 5 * time.Minute

// interrupted returns the beginning of the last interrupted run; zero if none
// was.
func (u *activeRun) interrupted() (run time.Time) {
	for _, t := range u.targets {
		if o, err := u.Folder.Outcome(t.Account); err == nil && o.Unfinished() && o.Run.After(run) {
			run = o.Run
		}
	}
	return run
}

// willDo returns the age up to which the target's report in the folder is
// sufficient.
func (u *activeRun) willDo(t Target, interrupted time.Time) time.Duration {
	if u.Resume && !interrupted.IsZero() {
		if o, err := u.Folder.Outcome(t.Account); err == nil && o.Run.Equal(interrupted) && !o.GeneratedAt.IsZero() {
			return max(u.MaxAge, ServiceReuse)
		}
	}
	return u.MaxAge
}

// saved returns the target's newest report in the folder if it is sufficient:
// it comes from the same service, is recent enough and undamaged.
func (u *activeRun) saved(t Target, maxAge time.Duration) (history.Snapshot, bool) {
	s, err := u.Folder.Newest(t.Account, time.Time{})
	if err != nil || t.Inactive != "" || s.Partition != t.Partition || s.Endpoint != t.Endpoint || s.Store {
		return s, false
	}
	age := u.began.Sub(s.GeneratedAt)
	if age > maxAge || maxAge == 0 || age < -ClockSkew {
		return s, false
	}
	_, err = s.Read()
	return s, err == nil
}

// fetch fetches one report. It begins with a slot. It holds a slot for every
// call, and none while it waits.
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
		<-u.allAsked // all others come first, which does not delay this one
		restart()
		if err == nil && u.take(bounded) {
			continue
		}
		if ctx.Err() == nil && u.take(ctx) {
			r, err := f.late()
			u.settle(i, f, r, err)
			u.release()
		}
		return
	}
}

// step runs one step of a fetch and says whether it was the last.
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
	u.settle(i, f, r, err)
	return 0, true
}

// settle saves the result of a fetch.
func (u *activeRun) settle(i int, f *fetch, r *Report, err error) {
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
		Source: string(r.Source), Endpoint: t.Endpoint, Caller: t.Caller, Role: t.Role, Command: oneLine(u.Command),
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
	if u.More == nil {
		u.end(i, status, why, s.GeneratedAt)
		return
	}
	u.await(i, u.outcome(t, status, why, s.GeneratedAt), s, f.account)
}

func staleBecause(f *fetch) string {
	if f.settled {
		return "the service generates no newer one"
	}
	return "no newer one in time: " + f.lastState
}

// end records the outcome of a target.
func (u *activeRun) end(i int, s history.Status, message string, generated time.Time) {
	o := u.outcome(u.targets[i], s, message, generated)
	if u.record(i, o) {
		u.Done(i, o)
	}
}

// record saves an outcome, and says whether it could.
func (u *activeRun) record(i int, o history.Outcome) bool {
	u.outcomes[i] = o
	err := u.Folder.SetOutcome(o)
	if err != nil {
		u.fail(fmt.Errorf("record an outcome: %w", err))
	}
	return err == nil
}

func (u *activeRun) outcome(t Target, s history.Status, message string, generated time.Time) history.Outcome {
	return history.Outcome{
		Account: t.Account, Name: t.Name, Partition: t.Partition, Organization: t.Organization, Profile: t.Profile,
		Status: s, Message: oneLine(message), GeneratedAt: generated, At: time.Now().Truncate(time.Second),
		Run: u.began.Truncate(time.Second),
	}
}

// statusOf returns the status of the account for an error.
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

// Explain returns an error in one line, in the AWS CLI's words if it is a
// service's.
func Explain(err error) string {
	text, ok := ServiceError(err)
	if !ok || errors.Is(err, ErrTimeout) {
		text = err.Error()
	}
	return text
}

// oneLine returns a text of others for a record: in one line, without terminal
// control characters.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\ufffd'
	}, strings.Join(strings.Fields(text), " "))
}

// ProfileFailed returns the outcome of a profile whose credentials failed. Its
// account is only known if the profile has a role.
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

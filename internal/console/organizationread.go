package console

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/api"
	"rollcall/internal/audit"
	"rollcall/internal/awsmodel"
	"rollcall/internal/identity"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// organizationSpan is the time for which a session keeps the figures that it
// read.
const organizationSpan = 5 * time.Minute

// organizationRead holds the figures of all accounts, the worst first.
type organizationRead struct {
	at       time.Time
	accounts []accountFigures
}

// accountFigures are the figures of an account's newest report. If there are
// none, why says why.
type accountFigures struct {
	account, why string
	made         time.Time
	figures
}

// figures are the numbers that the page shows of a report.
type figures struct {
	fail, noMFA, oldKeys, people, machines int
	controls                               []controlTally
}

// found returns the number of accounts in words.
func (o *organizationRead) found() string {
	failing, unknown := 0, 0
	for i := range o.accounts {
		switch a := &o.accounts[i]; {
		case a.why != "":
			unknown++
		case a.fail > 0:
			failing++
		}
	}
	text := counted(len(o.accounts), "account") + ": " + thousands(failing) + " with failed findings"
	if unknown > 0 {
		text += ", " + thousands(unknown) + " of which nothing is known"
	}
	return text
}

// organizationKey identifies the figures of an organization that one session
// read in one span of time. Each session has its own, because its permissions
// may differ.
type organizationKey struct {
	account, keyID string
	benchmark      audit.Standard
	span           time.Time
}

// readOrganization returns the figures of the person's own account and of the
// accounts that it manages.
func (v *visit) readOrganization(members []string, b *audit.Benchmark) (*organizationRead, error) {
	now := v.now()
	key := organizationKey{v.account(), v.session.Caller.AccessKeyID(), b.ID, now.Truncate(organizationSpan)}
	o := &organizationReader{Console: v.Console, by: v.session.Caller, call: v.call, benchmark: b}
	return gathered(v, key, 100*time.Millisecond, func(ctx context.Context) (*organizationRead, int64, error) {
		read := &organizationRead{at: now}
		for _, id := range append([]string{o.by.Account()}, members...) {
			if err := ctx.Err(); err != nil {
				return nil, 0, err
			}
			read.accounts = append(read.accounts, o.read(ctx, id))
		}
		slices.SortStableFunc(read.accounts, worseAccount)
		return read, int64(len(read.accounts)) << 10, nil
	})
}

// worseAccount orders accounts: first those that fail, then those without
// figures, then the others.
func worseAccount(a, b accountFigures) int {
	rank := func(f accountFigures) int {
		switch {
		case f.why != "":
			return 1
		case f.fail > 0:
			return 0
		}
		return 2
	}
	return cmp.Or(
		cmp.Compare(rank(a), rank(b)), cmp.Compare(b.fail, a.fail), cmp.Compare(b.noMFA, a.noMFA),
		cmp.Compare(b.oldKeys, a.oldKeys), strings.Compare(a.account, b.account),
	)
}

// organizationReader reads accounts on behalf of one person.
type organizationReader struct {
	*Console
	by        principal.Caller
	call      api.Call
	benchmark *audit.Benchmark
}

// read returns the figures of an account.
func (o *organizationReader) read(ctx context.Context, account string) accountFigures {
	a := accountFigures{account: account}
	err := o.figures(ctx, &a)
	var known *awsmodel.Error
	switch {
	case err == nil:
	case coded(err, "ReportNotPresent"):
		a.why = "There is no credential report yet."
	case errors.As(err, &known):
		a.why = known.Message
	default:
		o.log.ErrorContext(ctx, "read the report of an account", "error", err, "account", account)
		a.why = "The report cannot be read, because of an error of the service."
	}
	return a
}

func (o *organizationReader) figures(ctx context.Context, a *accountFigures) error {
	who := o.by
	if a.account != o.by.Account() {
		var err error
		if who, err = o.assume(ctx, a.account); err != nil {
			return err
		}
	}
	// This call decides whether the person may read the report.
	_, err := patiently(ctx, o.api.As(who, o.call), o.iam.GetCredentialReport, &identity.GetCredentialReportInput{})
	if err != nil {
		return err
	}
	newest, err := o.iam.Reports(ctx, a.account, 1)
	if err == nil && len(newest) == 0 {
		err = awsmodel.Fail("ReportNotPresent", "There is no report.") // it was deleted in the meantime
	}
	if err != nil {
		return err
	}
	a.made = newest[0].Generated
	a.figures, err = o.figuresOf(ctx, &newest[0], o.benchmark)
	return err
}

// assume assumes the organization's role in an account, as users of the AWS CLI
// do, and verifies its credentials.
func (o *organizationReader) assume(ctx context.Context, account string) (who principal.Caller, err error) {
	arn := "arn:" + o.by.Partition() + ":iam::" + account + ":role/" + organizationRole
	name, seconds := "rollcall-"+o.by.UserName(), int32(900)
	if s := o.by.Session(); s != nil && s.Role != nil {
		name = "rollcall-" + s.Name
	}
	name = name[:min(len(name), 64)]
	out, err := patiently(ctx, o.api.As(o.by, o.call), o.sts.AssumeRole,
		&sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: &name, DurationSeconds: &seconds})
	if err != nil {
		return who, err
	}
	got := out.Credentials
	verified, err := o.credentials.VerifySecret(ctx, *got.AccessKeyId, *got.SecretAccessKey, *got.SessionToken, "iam")
	if err != nil {
		return who, err
	}
	return principal.Signed(verified), nil
}

// patiently calls an action. It repeats the call while the caller is throttled,
// because an organization has many accounts.
func patiently[In, I, O any](
	ctx context.Context, s api.Session, method func(context.Context, *I) (*O, error), in *In,
) (*O, error) {
	for try := 0; ; try++ {
		out, err := api.Do(ctx, s, method, in)
		if !coded(err, api.ErrThrottled.Code) || try == 100 {
			return out, err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// tallies cache the figures of reports, which never change.
type tallies struct {
	mu  sync.Mutex
	all map[judgedKey]figures
}

// maxTallies limits their number. Each has about 1 KiB.
const maxTallies = 10_000

func (t *tallies) get(key judgedKey) (figures, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f, ok := t.all[key]
	return f, ok
}

func (t *tallies) put(key judgedKey, f figures) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all == nil || len(t.all) >= maxTallies {
		t.all = map[judgedKey]figures{}
	}
	t.all[key] = f
}

// figuresOf judges a report once and caches the figures.
func (c *Console) figuresOf(ctx context.Context, r *store.Report, b *audit.Benchmark) (f figures, err error) {
	key := judgedKey{r.Account, r.Token, b.ID}
	if f, ok := c.tallies.get(key); ok {
		return f, nil
	}
	err = c.shelf.inTurn(ctx, func() error {
		f, err = c.countFigures(ctx, r, b)
		return err
	})
	if err == nil {
		c.tallies.put(key, f)
	}
	return f, err
}

func (c *Console) countFigures(ctx context.Context, r *store.Report, b *audit.Benchmark) (f figures, err error) {
	o, err := c.options(b)
	if err != nil {
		return f, err
	}
	o.Top = -1
	auditor, err := audit.New(o)
	if err != nil {
		return f, err
	}
	content, err := c.open(ctx, r)
	if err != nil {
		return f, err
	}
	defer content.Close()
	of, err := auditor.Audit(ctx, content, source(r), nil, nil)
	if err != nil {
		return f, err
	}
	st := &of.Stats
	f = figures{
		fail: of.Counts.Total[audit.Fail], noMFA: st.ConsoleUsers - st.ConsoleUsersMFA,
		people: st.HumanUsers, machines: st.MachineUsers, controls: tallyOf(of.Counts.Controls),
	}
	for age := range st.KeyAges {
		if age >= len(audit.KeyAgeLimits) || audit.KeyAgeLimits[age] > 90 {
			for _, n := range st.KeyAges[age] {
				f.oldKeys += n
			}
		}
	}
	return f, nil
}

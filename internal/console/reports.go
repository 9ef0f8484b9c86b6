package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/internal/awsmodel"
	"rollcall/internal/identity"
	"rollcall/internal/judged"
	"rollcall/internal/store"
	"rollcall/internal/words"
)

// Pages about reports share this code. It finds the report, the benchmark that
// judges it, and the results.

// maxListed limits how many reports of the history pages know.
const maxListed = 1000

// maxRows limits how many rows of a report pages show. A page says if it cuts a
// longer report.
const maxRows = 1_000_000

// chosen is a report that the person may read.
type chosen struct {
	store.Report
	content identity.GetCredentialReportOutput
	history []store.Report // all stored reports, newest first
}

// report reads the report that was the newest at a time, as the signed-in
// person. The zero time means now. It returns nil if there is none.
func (v *visit) report(at time.Time) (*chosen, error) {
	if at.IsZero() {
		at = v.now()
	}
	in := &identity.GetCredentialReportInput{Rollcall: &struct{ At *time.Time }{&at}}
	out, err := do(v, v.iam.GetCredentialReport, in)
	if coded(err, "ReportNotPresent") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c := &chosen{content: *out}
	all, err := v.iam.Reports(v.r.Context(), v.account(), maxListed)
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		// If two reports have the same second, the API returns the later one.
		if n := len(c.history); n == 0 || !c.history[n-1].Generated.Equal(r.Generated) {
			c.history = append(c.history, r)
		}
	}
	i := slices.IndexFunc(c.history, func(r store.Report) bool { return !r.Generated.After(at) })
	if i < 0 { // older than those that are listed
		older, _, err := v.iam.Report(v.r.Context(), v.account(), at)
		if errors.Is(err, store.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		i, c.history = len(c.history), append(c.history, older)
	}
	c.Report = c.history[i]
	return c, nil
}

// coded says whether an error has one of AWS's codes.
func coded(err error, code string) bool {
	var known *awsmodel.Error
	return errors.As(err, &known) && known.Code == code
}

func (v *visit) account() string { return v.session.Caller.Account() }

// newest says whether the report is the newest one.
func (c *chosen) newest() bool { return c.Token == c.history[0].Token }

// before returns the previous report, nil for none.
func (c *chosen) before() *store.Report {
	for i := range c.history {
		if c.history[i].Token == c.Token && i+1 < len(c.history) {
			return &c.history[i+1]
		}
	}
	return nil
}

// stamp returns the name of a report in addresses: its time to the second.
func stamp(r *store.Report) string { return words.Time(r.Generated) }

// at reads a time in the query: in the form of stamp, in the form of the
// browser's date field, or a day, which means its end. The zero time means
// none.
func (v *visit) at(name string) (time.Time, error) {
	text := v.query(name)
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			if layout == "2006-01-02T15:04" {
				t = t.Add(time.Minute - time.Second)
			}
			return t.UTC(), nil
		}
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t.AddDate(0, 0, 1).Add(-time.Second), nil
	}
	return time.Time{}, &problem{
		Status: http.StatusBadRequest,
		Text:   "This is not a time such as 2026-01-31T12:00: " + text,
	}
}

// benchmark returns the benchmark in the query, or else the configured one.
func (v *visit) benchmark() (*audit.Benchmark, error) {
	id := v.query("benchmark")
	if id == "" {
		return v.standard, nil
	}
	b, ok := audit.FindBenchmark(audit.Standard(id))
	if !ok {
		return nil, &problem{Status: http.StatusBadRequest, Text: "There is no benchmark " + id + "."}
	}
	if v.audit != nil {
		b = b.With(v.audit)
	}
	return b, nil
}

// judgeBy sets how reports are judged.
func (c *Console) judgeBy(config *audit.Config) {
	c.audit = config
	c.standard, _ = audit.FindBenchmark(audit.DefaultBenchmark)
	if config != nil && config.Profile != "" {
		if b, ok := audit.FindBenchmark(config.Profile); ok {
			c.standard = b
		}
	}
	if config != nil {
		c.standard = c.standard.With(config)
	}
}

// options returns the options of an audit with a benchmark.
func (c *Console) options(b *audit.Benchmark) (audit.Options, error) {
	o := audit.Options{Benchmark: b, MaxRows: maxRows}
	if c.audit != nil {
		params, err := c.audit.Params(b)
		if err != nil {
			return o, err
		}
		o.Params, o.Classes, o.Exceptions = &params, c.audit.Classes, c.audit.Exceptions
	}
	return o, nil
}

// source describes a report to package audit. It omits the age, which the
// console shows.
func source(r *store.Report) audit.Source {
	return audit.Source{Account: r.Account, Generated: r.Generated, Fetched: r.Generated, Origin: "generated"}
}

// open reads a report from the store.
func (c *Console) open(ctx context.Context, r *store.Report) (io.ReadCloser, error) {
	found, write, err := c.iam.Report(ctx, r.Account, r.Generated)
	if err == nil && found.Token != r.Token {
		err = store.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	from, to := io.Pipe()
	go func() { to.CloseWithError(write(to)) }()
	return from, nil
}

// comparable returns a report in the form that package diff reads.
func (c *Console) comparable(ctx context.Context, r *store.Report) *diff.Report {
	return &diff.Report{Source: source(r), Open: func() (io.ReadCloser, error) { return c.open(ctx, r) }}
}

// patience returns how long a page waits for a background computation. A small
// result comes with the page.
func patience(reports ...*store.Report) time.Duration {
	const many = 10_000
	users := int64(0)
	for _, r := range reports {
		users += r.Users
	}
	if users < many {
		return 5 * time.Second
	}
	return 60 * time.Millisecond
}

// judgedKey and similar types identify values on the shelf. A token identifies
// one report of one account. A later account with the same number has other
// tokens.
type judgedKey struct {
	account   string
	token     int64
	benchmark audit.Standard
}

// judge returns a report with its verdicts.
func (v *visit) judge(r *store.Report, b *audit.Benchmark) (*judged.Report, error) {
	key := judgedKey{r.Account, r.Token, b.ID}
	c, of := v.Console, *r
	return shelved(v, key, patience(r), func(ctx context.Context) (*judged.Report, int64, error) {
		made, err := c.read(ctx, &of, b)
		if err != nil {
			return nil, 0, err
		}
		return made, made.Size(), nil
	})
}

func (c *Console) read(ctx context.Context, r *store.Report, b *audit.Benchmark) (*judged.Report, error) {
	o, err := c.options(b)
	if err != nil {
		return nil, err
	}
	content, err := c.open(ctx, r)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	return judged.Read(ctx, content, source(r), o)
}

// waiting is the data of the page that is shown until the requested one is
// ready.
type waiting struct{ Text, Link string }

// wait shows that something takes a moment. The page reloads by itself.
func (v *visit) wait(text string) error {
	v.passing = true
	v.reload(1)
	return v.show(waiting{text, withQuery(v.r.URL)}.html())
}

// reload makes the browser load the page again after some seconds.
func (v *visit) reload(seconds int) {
	v.w.Header().Set("Refresh", fmt.Sprint(seconds))
}

package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Task is the answer of GenerateCredentialReport.
type Task struct {
	State       string // STARTED, INPROGRESS or COMPLETE
	Description string // "" if there is none
}

// Source says how a report was obtained.
type Source string

const (
	// Cached is a report that existed already and is recent enough.
	Cached Source = "cached"
	// Generated is a report that was generated while the client waited.
	Generated Source = "generated"
	// Stale is an older report than requested: the service generated no newer
	// one, or not in time.
	Stale Source = "stale"
)

// Report is a credential report as the service sent it.
type Report struct {
	Content   []byte // the CSV, byte for byte
	Format    string // text/csv
	Generated time.Time
	// Fetched is the time of the answer, by the service's own clock if the
	// answer has its time.
	Fetched time.Time
	Source  Source // set by Fetch
}

// Age returns the age of the report when it was fetched, by the clock of the
// service that dated it. It is negative if that clock has stepped back. The
// true age of such a report is unknown.
func (r *Report) Age() time.Duration {
	age := r.Fetched.Sub(r.Generated)
	if age < 0 && age >= -ClockSkew {
		return 0
	}
	return age
}

// youngerThan says whether the report is known to be younger than a span.
func (r *Report) youngerThan(span time.Duration) bool {
	age := r.Age()
	return age >= 0 && age <= span
}

// Request requests a new report, as Request-IAMCredentialReport does. The
// service may reuse an existing one.
func (a *Account) Request(ctx context.Context) (Task, error) {
	out, err := a.iam.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{})
	if err != nil {
		return Task{}, plain(err)
	}
	t := Task{State: string(out.State)}
	if out.Description != nil {
		t.Description = *out.Description
	}
	return t, nil
}

// Get returns the service's present report. It does not request a new one.
func (a *Account) Get(ctx context.Context) (*Report, error) { return a.get(ctx) }

// ErrNoHistory says that a service has no earlier reports. AWS has none.
var ErrNoHistory = errors.New("the service keeps no history of reports")

// At returns the newest report that was generated at t or before. Only a
// Rollcall service supports this. The request has a parameter that other
// services ignore, and then the error is ErrNoHistory.
func (a *Account) At(ctx context.Context, t time.Time) (*Report, error) {
	r, err := a.get(ctx, func(o *iam.Options) {
		o.APIOptions = append(o.APIOptions, formParameter("Rollcall.At", t.UTC().Format(time.RFC3339)))
	})
	if situationOf(err) == absent {
		return nil, &noneAtError{t, err}
	}
	if err != nil {
		return nil, err
	}
	if r.Generated.After(t) {
		return nil, fmt.Errorf("%w: it was asked for the report of %s and returned that of %s", ErrNoHistory,
			t.UTC().Format(time.RFC3339), r.Generated.Format(time.RFC3339))
	}
	r.Source = Cached
	return r, nil
}

func (a *Account) get(ctx context.Context, fns ...func(*iam.Options)) (*Report, error) {
	out, err := a.iam.GetCredentialReport(ctx, &iam.GetCredentialReportInput{}, fns...)
	if err != nil {
		return nil, plain(err)
	}
	if out.GeneratedTime == nil {
		return nil, errors.New("get credential report: the answer has no GeneratedTime, so it is not IAM's")
	}
	fetched, ok := awsmiddleware.GetServerTime(out.ResultMetadata)
	if !ok {
		fetched = time.Now()
	}
	return &Report{
		Content: out.Content, Format: string(out.ReportFormat),
		Generated: out.GeneratedTime.UTC(), Fetched: fetched.UTC(),
	}, nil
}

// formParameter adds a parameter to a request of the Query protocol before it
// is signed.
func formParameter(name, value string) func(*middleware.Stack) error {
	add := func(ctx context.Context, in middleware.SerializeInput,
		next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
		request, ok := in.Request.(*smithyhttp.Request)
		if !ok {
			return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("add %s: not an HTTP request", name)
		}
		body, err := io.ReadAll(request.GetStream())
		if err != nil {
			return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("add %s: %w", name, err)
		}
		longer := string(body) + "&" + url.Values{name: {value}}.Encode()
		if request, err = request.SetStream(strings.NewReader(longer)); err != nil {
			return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("add %s: %w", name, err)
		}
		in.Request = request
		return next.HandleSerialize(ctx, in)
	}
	return func(stack *middleware.Stack) error {
		return stack.Serialize.Insert(middleware.SerializeMiddlewareFunc("RollcallFormParameter", add),
			"OperationSerializer", middleware.After)
	}
}

package identity

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/api"
	"rollcall/internal/awsmodel"
	"rollcall/internal/awsquery"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// ReportConfig says how often reports are generated and how long they are kept.
type ReportConfig struct {
	// MaxAge is the age up to which GenerateCredentialReport reuses a report. 0
	// means 10 s. IAM uses 4 h. The age counts from the report's publication,
	// so a client that calls until COMPLETE finishes no matter how long a
	// report takes.
	MaxAge time.Duration
	// Expiry is the age up to which GetCredentialReport returns a report. 0
	// means without limit.
	Expiry time.Duration
	// History says which reports of an account are kept; the zero value means
	// ReportAge and ReportCount. Two are always kept, so that one being
	// downloaded survives the next.
	History store.ReportHistory

	// settle is settlePatience, except in tests.
	settle time.Duration
}

// Reports are kept up to ReportAge by default, a year and a month, but no more
// than ReportCount of an account: some clients ask for one all the time.
const (
	ReportAge   = 400 * 24 * time.Hour
	ReportCount = 10_000
)

func (c ReportConfig) withDefaults() ReportConfig {
	if c.MaxAge <= 0 {
		c.MaxAge = 10 * time.Second
	}
	if c.History == (store.ReportHistory{}) {
		c.History = store.ReportHistory{Count: ReportCount, Age: ReportAge}
	}
	if c.settle == 0 {
		c.settle = settlePatience
	}
	return c
}

// GenerateCredentialReport starts a report unless one is being generated or is
// recent enough. For each report, exactly one caller gets STARTED.
func (s *Service) GenerateCredentialReport(
	ctx context.Context, _ *iam.GenerateCredentialReportInput,
) (*iam.GenerateCredentialReportOutput, error) {
	account := principal.Of(ctx).Account()
	for {
		var state store.ReportState
		err := s.db.Glance(ctx, func(tx *store.Tx) (err error) {
			state, err = tx.ReportState(account, reportLease)
			return err
		})
		switch {
		case err != nil:
			return nil, err
		case state.Running:
			return &iam.GenerateCredentialReportOutput{State: types.ReportStateTypeInprogress}, nil
		// A report that GetCredentialReport no longer returns does not count,
		// however recent it is: COMPLETE would send the client into a loop.
		case state.Last.YoungerThan(s.report.MaxAge) && !s.expired(state.Last):
			return &iam.GenerateCredentialReportOutput{State: types.ReportStateTypeComplete}, nil
		}
		var token int64
		err = s.db.Update(ctx, func(tx *store.Tx) (err error) {
			token, err = tx.StartReportJobAfter(account, s.node, reportLease, state.Job)
			return err
		})
		if errors.Is(err, store.ErrExists) {
			continue // another call was faster
		}
		if err != nil {
			return nil, err
		}
		s.startReport(ctx, account, token)
		return &iam.GenerateCredentialReportOutput{
			State: types.ReportStateTypeStarted,
			// The answer is the same if an older report exists (recorded).
			Description: ptr("No report exists. Starting a new report generation task"),
		}, nil
	}
}

// expired says whether a report is too old to be returned.
func (s *Service) expired(r store.Report) bool {
	return s.report.Expiry > 0 && !r.YoungerThan(s.report.Expiry)
}

// Errors of GetCredentialReport. AWS gives them no Message element. That is
// recorded for the first, and the others are of the same kind.
var (
	errReportNotPresent = &awsmodel.Error{Code: "ReportNotPresent"}
	errReportInProgress = &awsmodel.Error{Code: "ReportInProgress"}
	errReportExpired    = &awsmodel.Error{Code: "ReportExpired"}
)

// GetCredentialReportInput is the SDK's input, which has no members, with one
// of our own: the time whose newest report to return. AWS's clients never send
// it.
type GetCredentialReportInput struct {
	Rollcall *struct{ At *time.Time } `query:"Rollcall"`
}

// GetCredentialReportOutput is the SDK's output, with the content as a stream.
type GetCredentialReportOutput struct {
	Content       awsquery.Blob
	ReportFormat  types.ReportFormatType
	GeneratedTime *time.Time
}

// GetCredentialReport returns the newest report, byte for byte as it was
// published. While a report is being generated the error is ReportInProgress,
// even if an older report exists. AWS's own answer in that case is not
// recorded.
func (s *Service) GetCredentialReport(
	ctx context.Context, in *GetCredentialReportInput,
) (*GetCredentialReportOutput, error) {
	account := principal.Of(ctx).Account()
	var report store.Report
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		if in.Rollcall != nil && in.Rollcall.At != nil {
			report, err = tx.ReportAt(account, *in.Rollcall.At)
			return err
		}
		job, err := tx.ReportJob(account, reportLease)
		if err == nil && job.Running {
			return errReportInProgress
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		report, err = tx.LatestReport(account)
		if err == nil && s.expired(report) {
			return errReportExpired
		}
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, errReportNotPresent
	}
	if err != nil {
		return nil, err
	}
	// The content outlives the call. The writer deals with a client that reads
	// too slowly.
	streaming := api.Connection(ctx)
	return &GetCredentialReportOutput{
		Content: awsquery.Blob{Size: report.Size, WriteTo: func(w io.Writer) error {
			return s.writeReport(streaming, w, report)
		}},
		ReportFormat:  types.ReportFormatTypeTextCsv,
		GeneratedTime: when(report.Generated),
	}, nil
}

// Report returns the report of an account that was the newest at a time, and a
// function that writes its bytes. It is for operators. The zero time means now.
// The error is store.ErrNotFound if there is no report.
func (s *Service) Report(
	ctx context.Context, account string, at time.Time,
) (store.Report, func(io.Writer) error, error) {
	var report store.Report
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		if at.IsZero() {
			report, err = tx.LatestReport(account)
		} else {
			report, err = tx.ReportAt(account, at)
		}
		return err
	})
	return report, func(w io.Writer) error { return s.writeReport(ctx, w, report) }, err
}

// Reports lists the newest reports of an account, newest first.
func (s *Service) Reports(ctx context.Context, account string, limit int) (reports []store.Report, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) error {
		reports, err = tx.Reports(account, limit)
		return err
	})
	return reports, err
}

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
	// History is the number of reports kept for an account. 0 means 100. At
	// least two are kept, so a report that is being downloaded survives the
	// next one.
	History int
}

func (c ReportConfig) withDefaults() ReportConfig {
	if c.MaxAge <= 0 {
		c.MaxAge = 10 * time.Second
	}
	if c.History == 0 {
		c.History = 100
	}
	c.History = max(2, c.History)
	return c
}

// GenerateCredentialReport starts a report unless one is being generated or is
// recent enough. For each report, exactly one caller gets STARTED.
func (s *Service) GenerateCredentialReport(
	ctx context.Context, _ *iam.GenerateCredentialReportInput,
) (*iam.GenerateCredentialReportOutput, error) {
	account := principal.Of(ctx).Account()
	var state types.ReportStateType
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		state, err = s.reportState(tx, account)
		return err
	})
	if err != nil {
		return nil, err
	}
	if state != types.ReportStateTypeStarted {
		return &iam.GenerateCredentialReportOutput{State: state}, nil
	}
	var token int64
	err = s.db.Update(ctx, func(tx *store.Tx) (err error) {
		// Check again, because another call may have been faster.
		if state, err = s.reportState(tx, account); err != nil || state != types.ReportStateTypeStarted {
			return err
		}
		token, err = tx.StartReportJob(account, s.node, reportLease)
		if errors.Is(err, store.ErrExists) {
			state, err = types.ReportStateTypeInprogress, nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.GenerateCredentialReportOutput{State: state}
	if state == types.ReportStateTypeStarted {
		// The answer is the same if an older report exists (recorded).
		out.Description = ptr("No report exists. Starting a new report generation task")
		s.startReport(account, token)
	}
	return out, nil
}

// reportState returns the state that GenerateCredentialReport answers: STARTED
// if it has to start a report.
func (s *Service) reportState(tx *store.Tx, account string) (types.ReportStateType, error) {
	job, err := tx.ReportJob(account, reportLease)
	if err == nil && job.Running {
		return types.ReportStateTypeInprogress, nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	report, err := tx.LatestReport(account)
	// A report that GetCredentialReport no longer returns does not count,
	// however recent it is: COMPLETE would send the client into a loop.
	if errors.Is(err, store.ErrNotFound) || err == nil && (!report.YoungerThan(s.report.MaxAge) || s.expired(report)) {
		return types.ReportStateTypeStarted, nil
	}
	return types.ReportStateTypeComplete, err
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

// writeReport writes a stored report. It reads each chunk on its own, so that a
// slow client holds no snapshot of the store. The next chunk is read while the
// client receives the last. See reportPiece for the memory that it uses.
func (s *Service) writeReport(ctx context.Context, w io.Writer, report store.Report) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type read struct {
		chunk store.ReportChunk
		err   error
	}
	next := make(chan read)
	go func() {
		defer close(next)
		for seq, left := int64(0), report.Size; left > 0; seq++ {
			var r read
			r.chunk, r.err = s.db.ReportChunk(ctx, report.Account, report.Token, seq)
			select {
			case next <- r:
			case <-ctx.Done():
				return
			}
			if r.err != nil {
				return
			}
			left -= int64(r.chunk.Size)
		}
	}()
	buf := make([]byte, 0, min(report.Size, reportPiece))
	for r := range next {
		if r.err != nil {
			return r.err
		}
		var err error
		if buf, err = s.writePieces(w, r.chunk.Data, buf); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// writePieces writes the pieces of a chunk. It returns the buffer that it
// unpacked them into.
func (s *Service) writePieces(w io.Writer, chunk, buf []byte) ([]byte, error) {
	for len(chunk) > 0 {
		piece, rest, err := cutPiece(chunk)
		if err != nil {
			return buf, err
		}
		if buf, err = s.unpack.DecodeAll(piece, buf[:0]); err != nil {
			return buf, err
		}
		if _, err := w.Write(buf); err != nil {
			return buf, err
		}
		chunk = rest
	}
	return buf, nil
}

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

// ReportConfig says when reports are created again and how long they are kept.
type ReportConfig struct {
	// MaxAge says how old a report may be for Generate to be content with it; 0
	// means 10 s. IAM's own is 4 h. It is counted from the report's
	// publication, so that a client which calls Generate until COMPLETE comes
	// to an end however long a report takes.
	MaxAge time.Duration
	// Expiry says how old a report may be for Get to give it; 0 means for ever.
	Expiry time.Duration
	// History says how many reports of an account are kept; 0 means 100. Two
	// are always kept, so that one being downloaded survives the next.
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

// GenerateCredentialReport starts a report unless one is being made or is
// young enough. Exactly one caller is answered STARTED for each.
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
		// Asked again: another call may have been first.
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
		// The sentence is also given where an older report exists (recorded).
		out.Description = ptr("No report exists. Starting a new report generation task")
		s.startReport(account, token)
	}
	return out, nil
}

// reportState returns the answer that Generate would give: STARTED if it has to
// start.
func (s *Service) reportState(tx *store.Tx, account string) (types.ReportStateType, error) {
	job, err := tx.ReportJob(account, reportLease)
	if err == nil && job.Running {
		return types.ReportStateTypeInprogress, nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	report, err := tx.LatestReport(account)
	// One that Get does not give any more is none, however young it may be:
	// COMPLETE would send the client into a loop.
	if errors.Is(err, store.ErrNotFound) || err == nil && (!report.YoungerThan(s.report.MaxAge) || s.expired(report)) {
		return types.ReportStateTypeStarted, nil
	}
	return types.ReportStateTypeComplete, err
}

// expired says whether a report is too old to be given.
func (s *Service) expired(r store.Report) bool {
	return s.report.Expiry > 0 && !r.YoungerThan(s.report.Expiry)
}

// Errors of Get. AWS gives them no Message element (recorded for the first;
// the others are of the same kind).
var (
	errReportNotPresent = &awsmodel.Error{Code: "ReportNotPresent"}
	errReportInProgress = &awsmodel.Error{Code: "ReportInProgress"}
	errReportExpired    = &awsmodel.Error{Code: "ReportExpired"}
)

// GetCredentialReportInput is the SDK's, which has no members, and one of our
// own: the report that was the newest at a time, from the account's history.
// AWS's clients never send it.
type GetCredentialReportInput struct {
	Rollcall *struct{ At *time.Time } `query:"Rollcall"`
}

// GetCredentialReportOutput is the SDK's, with the content as a stream.
type GetCredentialReportOutput struct {
	Content       awsquery.Blob
	ReportFormat  types.ReportFormatType
	GeneratedTime *time.Time
}

// GetCredentialReport gives the newest report, byte for byte as it was
// published. While another is being made it is ReportInProgress, also where
// an older one exists (AWS's own answer there is not recorded).
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
	// The content outlasts the call: a client that does not take it is the
	// writer's matter.
	streaming := api.Connection(ctx)
	return &GetCredentialReportOutput{
		Content: awsquery.Blob{Size: report.Size, WriteTo: func(w io.Writer) error {
			return s.writeReport(streaming, w, report)
		}},
		ReportFormat:  types.ReportFormatTypeTextCsv,
		GeneratedTime: when(report.Generated),
	}, nil
}

// Report finds the report of an account that was the newest at a time (the
// zero time: now), for operators, and what writes its bytes. The error is
// store.ErrNotFound where there is none.
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

// writeReport writes a stored report. Each chunk is read on its own, so that a
// slow client holds no snapshot of the store; see reportPiece for what it
// holds. The next chunk is read while the client takes the last.
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

// writePieces writes the pieces of a chunk, and returns the memory they were
// unpacked in.
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

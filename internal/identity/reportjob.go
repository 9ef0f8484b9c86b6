package identity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"time"

	"github.com/klauspost/compress/zstd"

	"rollcall/internal/store"
)

// A job generates a report. It holds the account's lease and renews the lease
// while it works. The lease's token fences its writes: a job that was paused
// for longer than its lease can neither add to a report nor publish one.
const (
	// reportLease is the time for which a crashed job keeps others from
	// starting.
	reportLease = 5 * time.Second
	// reportPart is the number of bytes of a report that one commit stores.
	reportPart = 4 << 20
	// reportJobs is the number of reports that this node generates at once.
	// Each holds a connection of the store for long and sometimes needs a
	// second one. With as many jobs as connections, none would finish.
	reportJobs = 2
	// pagePatience is the maximum time for reading the next ten thousand users.
	pagePatience = time.Minute
)

// startReport runs the job that has just taken the lease.
func (s *Service) startReport(account string, token int64) {
	s.jobs.Go(func() { _, _ = s.runReport(s.jobsCtx, account, token) }) // the log has its error
}

// runReport makes and publishes the report of a job whose lease was just taken.
func (s *Service) runReport(ctx context.Context, account string, token int64) (store.Report, error) {
	ctx, cancel := context.WithCancelCause(store.OnAccount(ctx, account))
	defer cancel(nil)
	start := time.Now()
	s.jobs.Go(func() { s.keepLease(ctx, cancel, account, token) })
	report, err := s.makeReportInTurn(ctx, account, token)
	if err == nil {
		s.log.Info("credential report published", "account", account, "users", report.Users, "bytes", report.Size,
			"took", time.Since(start).Round(time.Millisecond).String())
		return report, nil
	}
	s.log.Error("credential report failed", "account", account, "error", err, "cause", context.Cause(ctx))
	// Return the lease, so that the next request can start a report at once.
	ending, stop := context.WithTimeout(context.WithoutCancel(ctx), reportLease)
	defer stop()
	ended := s.db.Update(ending, func(tx *store.Tx) error { return tx.EndReportJob(account, token) })
	if ended != nil {
		s.log.Warn("lease not given back, it runs out by itself", "account", account, "error", ended)
	}
	return report, err
}

// keepLease renews the lease until the job ends. It cancels the job if the
// lease is lost.
func (s *Service) keepLease(ctx context.Context, cancel context.CancelCauseFunc, account string, token int64) {
	tick := time.NewTicker(reportLease / 4)
	defer tick.Stop()
	renewed := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := s.db.Update(ctx, func(tx *store.Tx) error { return tx.RenewReportJob(account, token, reportLease) })
		switch {
		case err == nil:
			renewed = time.Now()
		case ctx.Err() != nil:
			return
		case time.Since(renewed) > reportLease:
			cancel(fmt.Errorf("lease lost: %w", err))
			return
		}
	}
}

// makeReportInTurn waits until few enough other reports are being generated.
func (s *Service) makeReportInTurn(ctx context.Context, account string, token int64) (store.Report, error) {
	select {
	case s.reportTurn <- struct{}{}:
		defer func() { <-s.reportTurn }()
		return s.makeReport(ctx, account, token)
	case <-ctx.Done():
		return store.Report{}, ctx.Err()
	}
}

// makeReport reads one snapshot of the account, writes the report in parts that
// no reader sees, and publishes it with one commit.
func (s *Service) makeReport(ctx context.Context, account string, token int64) (store.Report, error) {
	report := store.Report{Account: account, Token: token}
	// The report must include the uses of credentials that this node has noted.
	if err := s.db.Flush(ctx); err != nil {
		return report, fmt.Errorf("flush last use: %w", err)
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error { return tx.DropReportRests(account, token) })
	if err != nil {
		return report, err
	}
	pack := newReportPacker(ctx, s.db, account, token)
	err = s.db.View(store.Patiently(ctx, pagePatience), func(tx *store.Tx) error {
		report.Generated = tx.Now.Truncate(time.Second)
		rows, err := newReportRows(tx, account)
		if err != nil {
			return err
		}
		buf := rows.columns.AppendHeader(pack.buffer())
		err = tx.ScanCredentials(account, func(r *store.CredentialRow) error {
			if !rows.shows(r) {
				return nil
			}
			buf = append(buf, '\n')
			buf = rows.append(buf, r)
			report.Users++
			if len(buf) < reportPart {
				return nil
			}
			buf, err = pack.next(buf)
			return err
		})
		if err != nil {
			return err
		}
		_, err = pack.next(buf)
		return err
	})
	size, sum, packErr := pack.end()
	if packErr != nil {
		err = packErr
	}
	if err != nil {
		return report, err
	}
	report.Size, report.SHA256 = size, sum
	return report, s.db.Update(ctx, func(tx *store.Tx) error { return tx.PublishReport(report, s.report.History) })
}

// reportPacker compresses and stores parts of a report while another goroutine
// formats them.
type reportPacker struct {
	full  chan []byte
	free  chan []byte
	done  chan struct{}
	ctx   context.Context
	stop  context.CancelFunc
	sum   hash.Hash
	size  int64
	store func(seq int64, chunks []store.ReportChunk) error
	err   error
}

func newReportPacker(ctx context.Context, db *store.DB, account string, token int64) *reportPacker {
	p := &reportPacker{full: make(chan []byte), free: make(chan []byte, 2),
		done: make(chan struct{}), sum: sha256.New()}
	p.ctx, p.stop = context.WithCancel(ctx)
	p.store = func(seq int64, chunks []store.ReportChunk) error {
		return db.Update(p.ctx, func(tx *store.Tx) error {
			return tx.AddReportChunks(account, token, seq, chunks, reportLease)
		})
	}
	for range cap(p.free) {
		p.free <- make([]byte, 0, reportPart+64<<10)
	}
	go p.run()
	return p
}

// buffer waits for an empty buffer.
func (p *reportPacker) buffer() []byte {
	select {
	case b := <-p.free:
		return b[:0]
	case <-p.done:
		return nil
	}
}

// next hands a full buffer over and returns an empty one.
func (p *reportPacker) next(full []byte) ([]byte, error) {
	select {
	case p.full <- full:
		return p.buffer(), nil
	case <-p.done:
		return nil, p.err
	}
}

// end waits until all is stored.
func (p *reportPacker) end() (size int64, sum string, err error) {
	close(p.full)
	<-p.done
	p.stop()
	return p.size, hex.EncodeToString(p.sum.Sum(nil)), p.err
}

func (p *reportPacker) run() {
	defer close(p.done)
	pack, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithLowerEncoderMem(true))
	if err != nil {
		p.err = err
		return
	}
	defer func() { _ = pack.Close() }()
	var chunks []store.ReportChunk
	for seq := int64(0); ; seq += int64(len(chunks)) {
		part, ok := <-p.full
		if !ok {
			return
		}
		p.sum.Write(part)
		p.size += int64(len(part))
		chunks = packPieces(pack, part, chunks)
		if p.err = p.store(seq, chunks); p.err != nil {
			return
		}
		p.free <- part
	}
}

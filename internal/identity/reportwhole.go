package identity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"

	"github.com/klauspost/compress/zstd"

	"rollcall/internal/guard"
	"rollcall/internal/store"
)

// reportPart is the number of bytes of a report that one commit stores.
const reportPart = 4 << 20

// wholeReport reads one snapshot of the account, writes the report in parts
// that are not visible yet, and publishes it by one commit. The next reports
// consist of patches of it, unless a transaction may have changed the account
// without a record.
func (s *Service) wholeReport(ctx context.Context, account string, token int64) (store.Report, error) {
	report, shape := store.Report{Account: account, Token: token, Base: token}, ""
	err := s.db.Update(ctx, func(tx *store.Tx) error { return tx.StartReportBase(account, token) })
	if err != nil {
		return report, err
	}
	write := func(tx *store.Tx) (err error) {
		report, shape, err = s.writeBase(ctx, tx, account, token)
		return err
	}
	patient := store.Patiently(ctx, pagePatience)
	err = s.db.ViewSettled(patient, s.report.settle, write)
	settled := err == nil
	if errors.Is(err, store.ErrUnsettled) {
		err = s.db.View(patient, write)
	}
	if err != nil {
		return report, err
	}
	return report, s.db.Update(ctx, func(tx *store.Tx) error {
		if err := tx.PublishReport(report, s.report.History); err != nil {
			return err
		}
		if !settled {
			return tx.StopRecording(account)
		}
		return tx.KeepRecording(account, token, shape)
	})
}

// writeBase stores the rows of a snapshot as the base that a token identifies.
// It returns the report and its shape.
func (s *Service) writeBase(
	ctx context.Context, tx *store.Tx, account string, token int64,
) (report store.Report, shape string, err error) {
	report = store.Report{Account: account, Token: token, Base: token, Generated: second(tx.Now)}
	txs := []*store.Tx{tx}
	twin, end, err := tx.Twin()
	if err != nil {
		return report, "", err
	}
	if twin != nil {
		defer end()
		txs = append(txs, twin)
	}
	basis, err := tx.ReportBasis(account)
	if err != nil {
		return report, "", err
	}
	rows := newReportRows(basis)
	pack := newReportPacker(ctx, s.db, account, token)
	buf := rows.columns.AppendHeader(pack.buffer())
	err = formatRanges(ctx, txs, account, rows, reportRange, func(f formatted) (err error) {
		report.Users += f.users
		if buf = append(buf, f.rows...); len(buf) >= reportPart {
			buf, err = pack.next(buf)
		}
		return err
	})
	if err == nil {
		_, err = pack.next(buf)
	}
	var packErr error
	report.Size, report.SHA256, packErr = pack.end()
	if packErr != nil {
		err = packErr
	}
	return report, rows.shape(), err
}

// reportPacker compresses and stores parts of a report beside the goroutine that
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

// end waits until everything is stored.
func (p *reportPacker) end() (size int64, sum string, err error) {
	close(p.full)
	<-p.done
	p.stop()
	return p.size, hex.EncodeToString(p.sum.Sum(nil)), p.err
}

func (p *reportPacker) run() {
	defer close(p.done)
	p.err = guard.Run(p.pack)
}

func (p *reportPacker) pack() error {
	pack, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithLowerEncoderMem(true))
	if err != nil {
		return err
	}
	defer func() { _ = pack.Close() }()
	var chunks []store.ReportChunk
	for seq := int64(0); ; seq += int64(len(chunks)) {
		part, ok := <-p.full
		if !ok {
			return nil
		}
		p.sum.Write(part)
		p.size += int64(len(part))
		chunks = packPieces(pack, part, chunks)
		if err := p.store(seq, chunks); err != nil {
			return err
		}
		p.free <- part
	}
}

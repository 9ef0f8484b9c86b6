package identity

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"rollcall/internal/store"
)

// writeReport writes a stored report. Each chunk is read on its own, so that a
// slow client holds no snapshot of the store; see reportPiece for what it
// holds. The next chunk is read while the client takes the last.
func (s *Service) writeReport(ctx context.Context, w io.Writer, report store.Report) error {
	out := &patchedWriter{ctx: ctx, db: s.db, report: report, w: w, whole: report.Patches == 0}
	if report.SHA256 == "" {
		out.sum = sha256.New()
	}
	err := s.readBase(ctx, report, func(piece []byte) error { return out.piece(piece) })
	if err == nil {
		err = out.end()
	}
	if err == nil && out.sum != nil {
		s.noteSum(ctx, report, hex.EncodeToString(out.sum.Sum(nil)))
	}
	return err
}

// noteSum keeps the sum of a report for the next who asks.
func (s *Service) noteSum(ctx context.Context, report store.Report, sum string) {
	ctx = store.WithoutEvent(store.OnAccount(context.WithoutCancel(ctx), report.Account))
	err := s.db.Update(ctx, func(tx *store.Tx) error { return tx.SetReportSum(report.Account, report.Token, sum) })
	if err != nil {
		s.log.WarnContext(ctx, "the SHA-256 of a report not stored, it is computed again", "account", report.Account,
			"error", err)
	}
}

// Sum returns the SHA-256 of a report. It reads the report if nobody has asked
// before.
func (s *Service) Sum(ctx context.Context, report store.Report) (string, error) {
	if report.SHA256 != "" {
		return report.SHA256, nil
	}
	sum := sha256.New()
	if err := s.writeReport(ctx, sum, report); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// readBase calls fn with each piece of a report's base.
func (s *Service) readBase(ctx context.Context, report store.Report, fn func(piece []byte) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type read struct {
		chunk store.ReportChunk
		err   error
	}
	next := make(chan read)
	go func() {
		defer close(next)
		for seq := int64(0); ; seq++ {
			var r read
			r.chunk, r.err = s.db.ReportChunk(ctx, report.Account, report.Base, seq)
			if seq > 0 && errors.Is(r.err, store.ErrNotFound) {
				return // the last one was read
			}
			select {
			case next <- r:
			case <-ctx.Done():
				return
			}
			if r.err != nil {
				return
			}
		}
	}()
	var buf []byte
	for r := range next {
		if r.err != nil {
			return r.err
		}
		var err error
		if buf, err = s.unpackPieces(r.chunk.Data, buf, fn); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// unpackPieces calls fn with the pieces of a chunk, and returns the memory they
// were unpacked in.
func (s *Service) unpackPieces(chunk, buf []byte, fn func([]byte) error) ([]byte, error) {
	for len(chunk) > 0 {
		piece, rest, err := cutPiece(chunk)
		if err != nil {
			return buf, err
		}
		if buf, err = s.unpack.DecodeAll(piece, buf[:0]); err != nil {
			return buf, err
		}
		if err := fn(buf); err != nil {
			return buf, err
		}
		chunk = rest
	}
	return buf, nil
}

// patchPage is the number of patches that a reader of a report holds at most.
const patchPage = 200

// afterName follows a name where the names after it begin: it sorts before every
// character of a name. PostgreSQL's texts have no NUL.
const afterName = "!"

// patchedWriter writes the pieces of a base with the patches of a report.
type patchedWriter struct {
	ctx    context.Context
	db     *store.DB
	report store.Report
	w      io.Writer
	sum    hash.Hash // nil if it is known

	patches []store.ReportPatch // the next
	whole   bool                // no more follow these
	buf     []byte
	name    []byte
	written int64
}

// ready makes the next patch the first of patches; there is none if that is
// empty.
func (p *patchedWriter) ready(last string) (err error) {
	if len(p.patches) > 0 || p.whole {
		return nil
	}
	p.patches, err = p.db.ReportPatches(p.ctx, p.report, last, patchPage)
	p.whole = len(p.patches) < patchPage
	return err
}

// take takes the next patch.
func (p *patchedWriter) take() (store.ReportPatch, error) {
	patch := p.patches[0]
	p.patches = p.patches[1:]
	return patch, p.ready(patch.NameKey + afterName)
}

func (p *patchedWriter) write(text []byte) error {
	p.written += int64(len(text))
	if p.sum != nil {
		p.sum.Write(text)
	}
	_, err := p.w.Write(text)
	return err
}

// piece writes a piece. Patches of the users after its last row are for the next
// one.
func (p *patchedWriter) piece(piece []byte) error {
	if err := p.ready(""); err != nil {
		return err
	}
	rows := rowsOfPiece(piece)
	if len(p.patches) == 0 || len(rows) == 0 || p.after(rows) {
		return p.write(piece)
	}
	p.buf = append(p.buf[:0], piece[:len(piece)-len(rows)]...)
	for len(rows) > 0 {
		var row []byte
		row, rows = cutRow(rows)
		p.name = userOf(row, p.name)
		there := true
		for there && len(p.patches) > 0 && p.patches[0].NameKey <= string(p.name) {
			patch, err := p.take()
			if err != nil {
				return err
			}
			var of []byte
			if patch.NameKey == string(p.name) {
				of, there = row, false
			}
			if err := p.add(patch, of); err != nil {
				return err
			}
		}
		if there {
			p.buf = append(append(p.buf, '\n'), row...)
		}
		if len(p.buf) >= reportPiece {
			if err := p.flush(); err != nil {
				return err
			}
		}
	}
	return p.flush()
}

// after says whether the next patch is of a user after the last of rows.
func (p *patchedWriter) after(rows []byte) bool {
	p.name = userOf(rows[bytes.LastIndexByte(rows, '\n')+1:], p.name)
	return p.patches[0].NameKey > string(p.name)
}

// add adds the row of a patch, whose user has a row in the base or none.
func (p *patchedWriter) add(patch store.ReportPatch, of []byte) (err error) {
	if patch.Data != "" {
		p.buf, err = appendPatched(append(p.buf, '\n'), of, patch.Data)
	}
	return err
}

func (p *patchedWriter) flush() error {
	err := p.write(p.buf)
	p.buf = p.buf[:0]
	return err
}

// end writes the patches of the users after the last row of the base.
func (p *patchedWriter) end() error {
	for len(p.patches) > 0 {
		patch, err := p.take()
		if err != nil {
			return err
		}
		if err := p.add(patch, nil); err != nil {
			return err
		}
		if len(p.buf) >= reportPiece || len(p.patches) == 0 {
			if err := p.flush(); err != nil {
				return err
			}
		}
	}
	if p.written != p.report.Size {
		return fmt.Errorf("a report of %d bytes has %d", p.report.Size, p.written)
	}
	return nil
}

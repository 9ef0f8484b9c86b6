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

// writeReport writes a stored report. Each chunk is read by its own statement,
// so a slow client holds no snapshot of the store; reportPiece says what it
// holds. The next chunk is read while the client receives the last one.
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

// noteSum stores the sum of a report, so that it is computed only once.
func (s *Service) noteSum(ctx context.Context, report store.Report, sum string) {
	ctx = store.WithoutEvent(store.OnAccount(context.WithoutCancel(ctx), report.Account))
	err := s.db.Update(ctx, func(tx *store.Tx) error { return tx.SetReportSum(report.Account, report.Token, sum) })
	if err != nil {
		s.log.WarnContext(ctx, "SHA-256 of a report not stored; it will be computed again", "account", report.Account,
			"error", err)
	}
}

// Sum returns the SHA-256 of a report. If the sum is not stored yet, Sum reads
// the report.
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

// unpackPieces calls fn with each piece of a chunk. It returns the memory that
// the pieces were unpacked in.
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

// patchPage is the maximum number of patches that a reader of a report holds.
const patchPage = 200

// afterName is appended to a name to find the names after it. It sorts before
// every character of a name. Texts of PostgreSQL cannot contain NUL.
const afterName = "!"

// patchedWriter writes the pieces of a base with the patches of a report.
type patchedWriter struct {
	ctx    context.Context
	db     *store.DB
	report store.Report
	w      io.Writer
	sum    hash.Hash // nil if the sum is known

	patches []store.ReportPatch // the next
	whole   bool                // no more follow after patches
	buf     []byte
	name    []byte
	written int64
}

// ready makes the next patch the first one of patches. patches is empty if
// there are no more.
func (p *patchedWriter) ready(last string) (err error) {
	if len(p.patches) > 0 || p.whole {
		return nil
	}
	p.patches, err = p.db.ReportPatches(p.ctx, p.report, last, patchPage)
	p.whole = len(p.patches) < patchPage
	return err
}

// take removes the next patch from the list and returns it.
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

// piece writes a piece with its patches. Patches of users after its last row
// belong to the next piece.
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

// add adds the row that a patch creates. of is the user's row in the base, nil
// if there is none.
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

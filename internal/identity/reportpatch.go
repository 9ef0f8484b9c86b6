package identity

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"rollcall/internal/guard"
	"rollcall/internal/store"
)

const (
	// reportMarks limits the number of changed users in a report of patches,
	// because one transaction writes all of them.
	reportMarks = 10_000
	// patchesBefore is the number of patches that a base may have in addition to
	// a share of its users.
	patchesBefore = 256
	// patchesAtOnce is the number of users that are read together.
	patchesAtOnce = 200
)

// errNoPatches says that the next report has to be a whole one.
var errNoPatches = errors.New("the report cannot be made of patches")

// damaged wraps an error in the stored data of the last report. A whole report
// does not use that data.
func damaged(err error) error { return fmt.Errorf("%w: %w", errNoPatches, err) }

// patchReport generates a report from the last one and from the present rows of
// the users that have changed since. It returns errNoPatches if that is
// impossible.
func (s *Service) patchReport(ctx context.Context, account string, token int64) (store.Report, error) {
	var p *patching
	err := s.db.View(store.Patiently(ctx, pagePatience), func(tx *store.Tx) (err error) {
		if p, err = s.newPatching(tx, account, token); err == nil {
			err = p.run()
		}
		return err
	})
	if err != nil {
		return store.Report{}, err
	}
	return p.report, s.db.Update(ctx, func(tx *store.Tx) error {
		return tx.PublishPatches(p.report, p.patches, p.marks, s.report.History)
	})
}

// patching finds the patches of a report.
type patching struct {
	s       *Service
	tx      *store.Tx
	rows    *reportRows
	last    store.Report
	report  store.Report
	marks   []store.ReportMark
	pieces  []piecePlace
	patches []store.ReportPatch
}

// newPatching begins a report of patches. It returns errNoPatches if the report
// has to be a whole one.
func (s *Service) newPatching(tx *store.Tx, account string, token int64) (*patching, error) {
	start, err := tx.ReportStart(account, reportMarks+1)
	if err != nil {
		return nil, err
	}
	p := &patching{s: s, tx: tx, rows: newReportRows(start.Basis), last: start.Last, marks: start.Marks}
	if start.Recording.Shape != p.rows.shape() || start.Recording.Base != p.last.Base {
		return nil, errNoPatches
	}
	limit := min(p.last.Users/20+patchesBefore/2, reportMarks, p.last.Users/4+patchesBefore-p.last.Patches)
	if int64(len(p.marks)) > limit {
		return nil, errNoPatches
	}
	if p.pieces, err = readPlaces(start.Pieces); err != nil {
		return nil, damaged(err)
	}
	p.report = p.last
	p.report.Token, p.report.Generated = token, second(tx.Now)
	return p, nil
}

func (p *patching) run() error {
	for some := range slices.Chunk(p.marks, patchesAtOnce) {
		users := make([]string, len(some))
		for i, m := range some {
			users[i] = m.NameKey
		}
		if err := p.of(users); err != nil {
			return err
		}
	}
	if len(p.patches) > 0 {
		p.report.SHA256 = "" // SHA256 was the last report's
	}
	p.report.Patches += int64(len(p.patches))
	return nil
}

// of adds the patches of users whose rows have changed.
func (p *patching) of(users []string) error {
	base, patches, err := p.inBase(users)
	if err != nil {
		return err
	}
	defer base() // unpacking must end before the service is closed
	after := map[string]string{}
	var row []byte
	err = p.tx.ScanCredentialsOf(p.report.Account, users, func(u *store.CredentialRow) error {
		if p.rows.shows(u) {
			row = p.rows.append(row[:0], u)
			after[string(u.NameKey)] = string(row)
		}
		return nil
	})
	first := base()
	if err != nil {
		return err
	}
	if first.err != nil {
		return damaged(first.err)
	}
	before, err := patched(first.rows, patches)
	if err != nil {
		return damaged(err)
	}
	for _, u := range users {
		old, now := before[u], after[u]
		if old == now {
			continue
		}
		p.patches = append(p.patches, store.ReportPatch{NameKey: u, Data: patchOf(first.rows[u], now)})
		if old != "" {
			p.report.Users--
			p.report.Size -= int64(len(old)) + 1
		}
		if now != "" {
			p.report.Users++
			p.report.Size += int64(len(now)) + 1
		}
	}
	return nil
}

// patched applies patches to rows of the base. The result is the rows of the
// last report.
func patched(base map[string]string, patches []store.ReportPatch) (map[string]string, error) {
	last := maps.Clone(base)
	for _, patch := range patches {
		if patch.Data == "" {
			delete(last, patch.NameKey)
			continue
		}
		row, err := appendPatched(nil, []byte(base[patch.NameKey]), patch.Data)
		if err != nil {
			return nil, err
		}
		last[patch.NameKey] = string(row)
	}
	return last, nil
}

// baseRows holds rows of a base by user.
type baseRows struct {
	rows map[string]string
	err  error
}

// inBase reads the pieces that contain the rows of users in the base, and the
// patches since the base. wait returns the rows. They are unpacked while the
// caller continues to read.
func (p *patching) inBase(users []string) (wait func() baseRows, patches []store.ReportPatch, err error) {
	pieces := piecesOf(p.pieces, users)
	places := make([]store.ReportPlace, len(pieces))
	for i, piece := range pieces {
		places[i] = piece.ReportPlace
	}
	packed, patches, err := p.tx.PatchedOf(p.last, places, users)
	if errors.Is(err, store.ErrNotFound) {
		err = damaged(err)
	}
	if err != nil {
		return nil, nil, err
	}
	unpacked := make(chan baseRows, 1)
	go func() { unpacked <- p.s.unpackRows(pieces, packed) }()
	return sync.OnceValue(func() baseRows { return <-unpacked }), patches, nil
}

// unpackRows finds the rows of users in the pieces of a base.
func (s *Service) unpackRows(pieces []pieceOf, packed [][]byte) (b baseRows) {
	b.err = guard.Run(func() (err error) {
		b.rows, err = s.rowsOf(pieces, packed)
		return err
	})
	return b
}

func (s *Service) rowsOf(pieces []pieceOf, packed [][]byte) (found map[string]string, err error) {
	found = map[string]string{}
	var plain, name []byte
	for i, piece := range pieces {
		if plain, err = s.unpack.DecodeAll(packed[i], plain[:0]); err != nil {
			return nil, err
		}
		rows := rowsOfPiece(plain)
		for _, u := range piece.users {
			if row, ok := rowOf(rows, u, name); ok {
				found[u] = string(row)
			}
		}
	}
	return found, nil
}

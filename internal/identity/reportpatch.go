package identity

import (
	"context"
	"errors"
	"maps"
	"slices"

	"rollcall/internal/store"
)

const (
	// reportMarks bounds the changed users of a report that is made of patches:
	// one transaction writes them all.
	reportMarks = 10_000
	// patchesBefore is the number of patches that a base may have besides a share
	// of its users.
	patchesBefore = 256
	// patchesAtOnce is the number of users that are read together.
	patchesAtOnce = 200
)

// errNoPatches says that a report has to be a whole one.
var errNoPatches = errors.New("the report cannot be made of patches")

// patchReport makes a report of the last one and the rows of the users that have
// changed since, or returns errNoPatches.
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
		if err := tx.PatchReport(p.report, p.patches, p.marks); err != nil {
			return err
		}
		return tx.PublishReport(p.report, s.report.History)
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
	pieces  []piecePlace // nil until one is needed
	patches []store.ReportPatch
}

// newPatching finds out whether a report can be made of patches.
func (s *Service) newPatching(tx *store.Tx, account string, token int64) (*patching, error) {
	recording, err := tx.ReportRecording(account)
	if errors.Is(err, store.ErrNotFound) {
		return nil, errNoPatches
	}
	if err != nil {
		return nil, err
	}
	p := &patching{s: s, tx: tx}
	if p.rows, err = newReportRows(tx, account); err != nil {
		return nil, err
	}
	p.last, err = tx.LatestReport(account)
	if errors.Is(err, store.ErrNotFound) || err == nil &&
		(recording.Shape != p.rows.shape() || recording.Base != p.last.Base) {
		return nil, errNoPatches
	}
	if err != nil {
		return nil, err
	}
	limit := min(p.last.Users/20+patchesBefore/2, reportMarks, p.last.Users/4+patchesBefore-p.last.Patches)
	if p.marks, err = tx.ReportMarks(account, int(max(0, limit))+1); err != nil {
		return nil, err
	}
	if int64(len(p.marks)) > limit {
		return nil, errNoPatches
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
		p.report.SHA256 = "" // of the last one
	}
	p.report.Patches += int64(len(p.patches))
	return nil
}

// of adds the patches of users whose rows are not as they were.
func (p *patching) of(users []string) error {
	base, before, err := p.before(users)
	if err != nil {
		return err
	}
	after := map[string]string{}
	var row []byte
	err = p.tx.ScanCredentialsOf(p.report.Account, users, func(u *store.CredentialRow) error {
		if p.rows.shows(u) {
			row = p.rows.append(row[:0], u)
			after[string(u.NameKey)] = string(row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, u := range users {
		old, now := before[u], after[u]
		if old == now {
			continue
		}
		p.patches = append(p.patches, store.ReportPatch{NameKey: u, Data: patchOf(base[u], now)})
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

// before returns the rows of users in the base and in the last report.
func (p *patching) before(users []string) (base, last map[string]string, err error) {
	base = map[string]string{}
	if err := p.inBase(users, base); err != nil {
		return nil, nil, err
	}
	patches, err := p.tx.PatchesOf(p.last, users)
	if err != nil {
		return nil, nil, err
	}
	last = maps.Clone(base)
	for _, patch := range patches {
		if patch.Data == "" {
			delete(last, patch.NameKey)
			continue
		}
		row, err := appendPatched(nil, []byte(base[patch.NameKey]), patch.Data)
		if err != nil {
			return nil, nil, err
		}
		last[patch.NameKey] = string(row)
	}
	return base, last, nil
}

// inBase adds the rows that users have in the base.
func (p *patching) inBase(users []string, rows map[string]string) error {
	if p.pieces == nil {
		chunks, err := p.tx.ReportPieces(p.last.Account, p.last.Base)
		if err != nil {
			return err
		}
		if p.pieces, err = readPlaces(chunks); err != nil {
			return err
		}
	}
	packed, err := p.tx.ReportPiecesAt(p.last.Account, p.last.Base, placesOf(p.pieces, users))
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, u := range users {
		wanted[u] = true
	}
	var plain, name []byte
	for _, piece := range packed {
		if plain, err = p.s.unpack.DecodeAll(piece, plain[:0]); err != nil {
			return err
		}
		for row, rest := []byte(nil), rowsOfPiece(plain); len(rest) > 0; {
			row, rest = cutRow(rest)
			if name = userOf(row, name); wanted[string(name)] {
				rows[string(name)] = string(row)
			}
		}
	}
	return nil
}

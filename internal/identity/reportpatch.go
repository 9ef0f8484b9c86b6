package identity

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

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
	p.report = p.last
	p.report.Token, p.report.Generated = token, second(tx.Now)
	return p, nil
}

func (p *patching) run() error {
	if len(p.marks) > 0 {
		if err := p.compare(); err != nil {
			return err
		}
	}
	if len(p.patches) > 0 {
		p.report.SHA256 = "" // SHA256 was the last report's
	}
	p.report.Patches += int64(len(p.patches))
	return nil
}

// compare compares the rows that the marked users have in the last report with
// their present rows.
func (p *patching) compare() error {
	next, stop, err := p.beforeEach(p.users())
	if err != nil {
		return err
	}
	defer stop()
	for _, some := range p.users() {
		if err := p.of(some, next); err != nil {
			return err
		}
	}
	return nil
}

// users returns the marked users, divided into those that are read together.
func (p *patching) users() (all [][]string) {
	for some := range slices.Chunk(p.marks, patchesAtOnce) {
		users := make([]string, len(some))
		for i, m := range some {
			users[i] = m.NameKey
		}
		all = append(all, users)
	}
	return all
}

// of adds the patches of users whose rows have changed. before returns their rows
// until now.
func (p *patching) of(users []string, before func() lastRows) error {
	after := map[string]string{}
	var row []byte
	err := p.tx.ScanCredentialsOf(p.report.Account, users, func(u *store.CredentialRow) error {
		if p.rows.shows(u) {
			row = p.rows.append(row[:0], u)
			after[string(u.NameKey)] = string(row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	last := before()
	if last.err != nil {
		return last.err
	}
	for _, u := range users {
		old, now := last.rows[u], after[u]
		if old == now {
			continue
		}
		p.patches = append(p.patches, store.ReportPatch{NameKey: u, Data: patchOf(last.base[u], now)})
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

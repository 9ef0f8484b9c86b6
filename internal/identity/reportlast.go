package identity

import (
	"errors"
	"sync"

	"rollcall/internal/guard"
	"rollcall/internal/store"
)

// lastRows holds rows of the last report, by user.
type lastRows struct {
	base map[string]string // as they are in its base
	rows map[string]string // with its patches
	err  error
}

// beforeEach returns a function that returns the rows of the first users in the
// last report, then those of the next, and so on. These rows never change, so
// they are read on another connection, if there is one, beside the present rows.
// stop ends that.
func (p *patching) beforeEach(users [][]string) (next func() lastRows, stop func(), err error) {
	r := &lastReader{s: p.s, report: p.last}
	beside, end, err := p.tx.Beside()
	if err != nil {
		return nil, nil, err
	}
	if beside == nil {
		return func() lastRows {
			first := users[0]
			users = users[1:]
			return r.read(p.tx, first)
		}, func() {}, nil
	}
	found, stopped := make(chan lastRows), make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		for _, some := range users {
			select {
			case found <- r.read(beside, some):
			case <-stopped:
				return
			}
		}
	})
	return func() lastRows { return <-found }, func() {
		close(stopped)
		reading.Wait() // unpacking must end before the service is closed
		end()
	}, nil
}

// lastReader reads rows of the last report.
type lastReader struct {
	s      *Service
	report store.Report
}

// read reads the rows of users, who are in order.
func (r *lastReader) read(tx *store.Tx, users []string) (last lastRows) {
	last.err = guard.Run(func() (err error) {
		if last.base, last.rows, err = r.rows(tx, users); errors.Is(err, store.ErrNotFound) {
			err = damaged(err)
		}
		return err
	})
	return last
}

func (r *lastReader) rows(tx *store.Tx, users []string) (base, rows map[string]string, err error) {
	all, err := r.s.placesOf(tx, r.report)
	if err != nil {
		return nil, nil, err
	}
	pieces := piecesOf(all, users)
	places := make([]store.ReportPlace, len(pieces))
	for i, piece := range pieces {
		places[i] = piece.ReportPlace
	}
	packed, patches, err := tx.PatchedOf(r.report, places, users)
	if err != nil {
		return nil, nil, err
	}
	err = guard.Run(func() (err error) {
		if base, err = r.s.rowsOf(pieces, packed); err == nil {
			rows, err = patched(base, patches)
		}
		return err
	})
	if err != nil {
		return nil, nil, damaged(err)
	}
	return base, rows, nil
}

// basePlaces says where the pieces of a base are.
type basePlaces struct {
	account string
	base    int64
	places  []piecePlace
}

// placesOf returns the places of the pieces of a report's base. Those that were
// needed last are kept: a base never changes, and no other gets its token.
func (s *Service) placesOf(tx *store.Tx, r store.Report) ([]piecePlace, error) {
	if kept := s.places.Load(); kept != nil && kept.account == r.Account && kept.base == r.Base {
		return kept.places, nil
	}
	chunks, err := tx.ReportPieces(r.Account, r.Base)
	if err != nil {
		return nil, err
	}
	places, err := readPlaces(chunks)
	if err != nil {
		return nil, damaged(err)
	}
	s.places.Store(&basePlaces{r.Account, r.Base, places})
	return places, nil
}

// rowsOf finds the rows of users in the pieces of a base.
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

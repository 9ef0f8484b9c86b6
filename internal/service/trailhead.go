package service

import (
	"context"
	"errors"
	"time"

	"rollcall/internal/trail"
)

// flush returns a function that makes the records of a trail durable, and returns
// the head of its file. A nil mac returns no head.
func flush(t *trail.Trail, mac trail.MAC) func() (*trail.KnownHead, error) {
	return func() (*trail.KnownHead, error) {
		if err := t.Flush(); err != nil || mac == nil {
			return nil, err
		}
		return t.Known(mac), nil
	}
}

// ErrForgedHead reports that the database's head of the trail was changed, or
// sealed by other keys.
var ErrForgedHead = errors.New("somebody else than this service changed what the database knows of the trail's end")

// ExpectTrail compares the trail's file with its head in the database, before the
// trail's first record. lacks says which records are missing; the trail's next
// record will say so too.
func (s *Service) ExpectTrail(ctx context.Context, t *trail.Trail) (lacks string, err error) {
	if t.Path() == "" {
		return "", nil
	}
	heads, err := s.db.TrailHeads(ctx)
	if err != nil {
		return "", err
	}
	h := trail.HeadOf(t.Path(), heads)
	switch {
	case h == nil:
		return "", nil
	case !h.Proven(s.IAM.TrailMAC):
		return "", errors.Join(ErrForgedHead, s.db.ForgetTrailHead(ctx, h.Place))
	}
	return t.Expect(h.Head)
}

// TrailHeads returns the heads of all files of the trail, as the database has
// them: they may be forged.
func (s *Service) TrailHeads(ctx context.Context) ([]trail.KnownHead, error) {
	return s.db.TrailHeads(ctx)
}

// expectTrail is ExpectTrail for a service, which continues without the missing
// records.
func (s *Service) expectTrail(ctx context.Context, cfg Config) {
	if cfg.Store.Memory || cfg.Trail.Off() {
		return
	}
	lacks, err := s.ExpectTrail(ctx, s.trail)
	if lacks != "" {
		err = errors.New(lacks)
	}
	if err != nil {
		cfg.Log.ErrorContext(ctx, "the trail is not whole: run 'rollcall trail verify' on all of its files", "error", err)
	}
}

// closeTrail ends the trail, and stores its head while the database is open.
func (s *Service) closeTrail() error {
	err := s.trail.Close()
	ctx, cancel := context.WithTimeout(context.Background(), lastHead)
	defer cancel()
	// Without the database, the head that it has is good enough.
	_ = s.db.KeepTrailHead(ctx, s.trail.Known(s.IAM.TrailMAC))
	return err
}

// lastHead bounds the time for which the end of the service waits for the
// database, so that the head of its trail is stored.
const lastHead = 5 * time.Second

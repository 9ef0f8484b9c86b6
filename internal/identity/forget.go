package identity

import (
	"context"
	"errors"
	"time"
)

const (
	// forgetAfter says how long after its start a process forgets for the first
	// time, so that one that starts over and over does so as well.
	forgetAfter = time.Minute
	forgetEvery = time.Hour
)

const (
	// signInMemory is longer than any session or ticket lasts, and tryMemory than
	// tries at passwords count.
	signInMemory = 13 * time.Hour
	tryMemory    = 2 * time.Hour
	// PlaceMemory says how long an address counts as one that a user is known
	// from.
	PlaceMemory = 30 * 24 * time.Hour
)

// Forget deletes what has grown too old to be asked for: uses of services,
// access reports, deletions of service-linked roles, keys that signed tokens
// which have expired, sign-ins and from where they came. It runs beside the
// calls, which wait for none of it.
func (s *Service) Forget(ctx context.Context) error {
	now := s.db.Now()
	return errors.Join(
		s.db.ForgetServiceUses(ctx, now.Add(-trackingPeriod)),
		s.db.ForgetAccessJobs(ctx, now.Add(-accessJobAge)),
		s.db.ForgetDeletionTasks(ctx, now.Add(-taskMemory)),
		s.db.ForgetTokenKeys(ctx, now),
		s.db.ForgetSignIns(ctx, now.Add(-signInMemory), now.Add(-tryMemory)),
		s.db.ForgetPlaces(ctx, now.Add(-PlaceMemory)))
}

// forgetFromTimeToTime runs until the service is closed.
func (s *Service) forgetFromTimeToTime() {
	for wait := forgetAfter; ; wait = forgetEvery {
		select {
		case <-s.jobsCtx.Done():
			return
		case <-time.After(wait):
		}
		if err := s.Forget(s.jobsCtx); err != nil && s.jobsCtx.Err() == nil {
			s.log.Warn("what is too old not deleted, it is tried again in an hour", "error", err)
		}
	}
}

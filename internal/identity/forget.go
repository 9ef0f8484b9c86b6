package identity

import (
	"context"
	"errors"
	"time"

	"rollcall/internal/guard"
)

const (
	// forgetAfter is the time between a process's start and the first time it
	// forgets. It is short so that a process that restarts often forgets too.
	forgetAfter = time.Minute
	forgetEvery = time.Hour
)

const (
	// signInMemory is longer than any session or ticket lasts. tryMemory is
	// longer than failed sign-ins count.
	signInMemory = 13 * time.Hour
	tryMemory    = 2 * time.Hour
	// PlaceMemory is the time for which an address counts as a known address of
	// a user.
	PlaceMemory = 30 * 24 * time.Hour
)

// Forget deletes data that is too old to be used: uses of services, access
// reports, deletions of service-linked roles, signing keys whose tokens have
// all expired, sign-ins with their addresses, and records of changes for
// reports that nobody asked for. It runs in the background, and no call waits
// for it.
func (s *Service) Forget(ctx context.Context) error {
	now := s.db.Now()
	return errors.Join(
		s.db.ForgetServiceUses(ctx, now.Add(-trackingPeriod)),
		s.db.ForgetAccessJobs(ctx, now.Add(-accessJobAge)),
		s.db.ForgetDeletionTasks(ctx, now.Add(-taskMemory)),
		s.db.ForgetTokenKeys(ctx, now),
		s.db.ForgetSignIns(ctx, now.Add(-signInMemory), now.Add(-tryMemory)),
		s.db.ForgetPlaces(ctx, now.Add(-PlaceMemory)),
		s.db.ForgetRecordings(ctx, reportMarks))
}

// forgetFromTimeToTime calls Forget until the service is closed.
func (s *Service) forgetFromTimeToTime() {
	for wait := forgetAfter; ; wait = forgetEvery {
		select {
		case <-s.jobsCtx.Done():
			return
		case <-time.After(wait):
		}
		if err := guard.Run(func() error { return s.Forget(s.jobsCtx) }); err != nil && s.jobsCtx.Err() == nil {
			s.log.Warn("old rows not deleted; will try again in an hour", "error", err)
		}
	}
}

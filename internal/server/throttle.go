package server

import (
	"errors"
	"time"

	"rollcall/internal/api"
	"rollcall/internal/awsmodel"
)

// throttled returns the answer to a call that came too early, or nil.
func (k *call) throttled(wait time.Duration, ok bool) error {
	if ok {
		return nil
	}
	k.retryAfter = wait
	return api.ErrThrottled
}

// refusedStranger takes a token of the address that a refused request came
// from. If there is none, it refuses the request for that reason. Verified
// requests take no such token, so that others at the same address cannot block
// them.
func (s *Server) refusedStranger(k *call, refused error) error {
	var known *awsmodel.Error
	if !errors.As(refused, &known) {
		return refused // our own failure
	}
	if err := k.throttled(s.strangers.Allow(networkOf(k.SourceIP))); err != nil {
		return err
	}
	return refused
}

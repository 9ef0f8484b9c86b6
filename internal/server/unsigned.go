package server

import (
	"errors"
	"net/http"

	"rollcall/internal/awsmodel"
	"rollcall/internal/awsquery"
)

// unsigned answers an unsigned request if it calls an action that needs no
// signature. err says why the request did not count as signed. ok is false for
// all other requests, which get err: a client that does not sign learns nothing
// about other errors of its request.
func (s *Server) unsigned(
	w http.ResponseWriter, r *http.Request, body []byte, k *call, err error,
) (response *awsquery.Response, ok bool, refused error) {
	if !notSigned(err) || k.json11 {
		return nil, false, nil
	}
	asked := *k
	action, in, err := s.decode(r, body, &asked)
	if !action.Unsigned() {
		k.service = asked.service // the form of the answer
		return nil, false, nil
	}
	*k = asked
	if err != nil {
		return nil, true, err
	}
	// The caller is known only after the proof has been checked, which takes
	// time.
	address := networkOf(k.SourceIP)
	wait, empty := s.strangers.Empty(address)
	if err := k.throttled(wait, !empty); err != nil {
		return nil, true, err
	}
	if err := k.throttled(s.cfg.API.AdmitFrom(address)); err != nil {
		return nil, true, err
	}
	response, refused = s.invoke(w, r, action, in, k)
	if refused == nil && response.Status >= http.StatusBadRequest {
		s.strangers.Allow(address)
	}
	return response, true, refused
}

// notSigned reports whether a request was refused because it has no signature.
func notSigned(err error) bool {
	var missing *awsmodel.Error
	return errors.As(err, &missing) && missing.Code == "MissingAuthenticationToken"
}

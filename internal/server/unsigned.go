package server

import (
	"errors"
	"net/http"

	"rollcall/internal/awsmodel"
	"rollcall/internal/awsquery"
)

// unsigned answers a request that nobody signed if it calls an action that
// needs no signature; err is why it was not taken for a signed one. It is not
// ok for all others, which are answered by err: whoever does not sign learns
// nothing of what is wrong with the rest of a request.
func (s *Server) unsigned(
	w http.ResponseWriter, r *http.Request, body []byte, k *call, err error,
) (response *awsquery.Response, ok bool, refused error) {
	if !notSigned(err) {
		return nil, false, nil
	}
	asked := *k
	action, in, err := s.decode(r, body, &asked)
	if action.Unsigned == nil {
		k.service = asked.service // whose form the answer has
		return nil, false, nil
	}
	*k = asked
	if err != nil {
		return nil, true, err
	}
	// Who calls is known only when the proof was checked, which takes time.
	address := networkOf(k.SourceIP)
	wait, empty := s.strangers.empty(address)
	if err := k.throttled(wait, !empty); err != nil {
		return nil, true, err
	}
	if err := k.throttled(s.limiter.allow("from " + address)); err != nil {
		return nil, true, err
	}
	response, refused = s.invoke(w, r, action, in, k)
	if refused == nil && response.Status >= http.StatusBadRequest {
		s.strangers.allow(address)
	}
	return response, true, refused
}

// notSigned says whether a request was refused because nobody signed it.
func notSigned(err error) bool {
	var missing *awsmodel.Error
	return errors.As(err, &missing) && missing.Code == "MissingAuthenticationToken"
}

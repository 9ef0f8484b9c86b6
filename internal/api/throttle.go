package api

import (
	"time"

	"rollcall/internal/awsmodel"
	"rollcall/internal/principal"
	"rollcall/internal/throttle"
)

// ErrThrottled refuses a call above the rate.
var ErrThrottled = awsmodel.Fail("Throttling", "Rate exceeded")

// Throttle limits the calls of one principal, with all its keys and sessions, and
// those of one account. It must be called before the first call of an action.
func (a *API) Throttle(principals, accounts *throttle.Limiter) {
	a.principals, a.accounts = principals, accounts
}

// Admit takes one token of the principal, whatever key or session it uses, and one
// of its account. It returns how long to wait if there is none. It must be called
// before the request is read.
func (a *API) Admit(c principal.Caller) (wait time.Duration, ok bool) {
	if wait, ok := a.principals.Allow(owner(c)); !ok {
		return wait, false
	}
	return a.accounts.Allow(c.Account())
}

// AdmitFrom takes a token of an address, for calls whose caller is not known yet.
func (a *API) AdmitFrom(address string) (wait time.Duration, ok bool) {
	return a.principals.Allow("from " + address)
}

// owner returns the principal that a caller's calls count for. A session counts
// for its role or user, so more sessions do not give more calls.
func owner(c principal.Caller) string {
	if s := c.Session(); s != nil && s.Role != nil {
		return c.Account() + "/role/" + s.Role.ID
	}
	return c.Account() + "/user/" + c.User().NameKey
}

package console

import (
	"context"

	"rollcall/internal/api"
)

// do calls an action by its method, as the person that the session acts as.
func do[In, I, O any](v *visit, method func(context.Context, *I) (*O, error), in *In) (*O, error) {
	return api.Do(v.r.Context(), v.caller(), method, in)
}

// may says whether policies let the person call an action, without calling it:
// "" if so, or else the sentence of AWS. What the action itself would refuse is
// not known before it is called.
func may[In, I, O any](v *visit, method func(context.Context, *I) (*O, error), in *In) string {
	if refused := api.May(v.r.Context(), v.caller(), method, in); refused != nil {
		return refused.Message
	}
	return ""
}

// caller is the person that the session acts as.
func (v *visit) caller() api.Session { return v.api.As(v.session.Caller, v.call) }

package console

import (
	"context"

	"rollcall/internal/api"
)

// do calls an action by its method, as the person or the role of the session.
func do[In, I, O any](v *visit, method func(context.Context, *I) (*O, error), in *In) (*O, error) {
	return api.Do(v.r.Context(), v.caller(), method, in)
}

// may says whether policies let the person call an action. It does not call the
// action. It returns "" if they do, otherwise AWS's sentence. The action itself
// may still fail for other reasons.
func may[In, I, O any](v *visit, method func(context.Context, *I) (*O, error), in *In) string {
	if refused := api.May(v.r.Context(), v.caller(), method, in); refused != nil {
		return refused.Message
	}
	return ""
}

// caller returns the person or the role of the session.
func (v *visit) caller() api.Session { return v.api.As(v.session.Caller, v.call) }

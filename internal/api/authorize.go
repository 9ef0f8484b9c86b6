package api

import (
	"context"

	"rollcall/internal/awsmodel"
	"rollcall/internal/principal"
)

// authorize decides a call. Without policies, root may do everything and a
// user what AWS grants everyone; the rest is an implicit deny.
func authorize(ctx context.Context, c principal.Caller, action Action, in any) error {
	if c.IsRoot() {
		return nil
	}
	if action.Granted != nil {
		ok, err := action.Granted(ctx, in)
		if ok || err != nil {
			return err
		}
	}
	name := action.Service + ":" + action.Name
	return awsmodel.Fail("AccessDenied", "User: %s is not authorized to perform: %s on resource: %s because no identity-based policy allows the %s action",
		c.ARN(), name, action.Resource(c, in), name)
}

package access

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"rollcall/internal/awsmodel"
	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// Arriving is a user who is signing in and is not a caller yet.
type Arriving struct {
	store.Owner
	MFA  time.Time // when it proved a device, zero if it did not
	Call Call
}

// MayArriving decides whether the policies of a user who is signing in allow an
// action on that user. explicit says that a policy denies it. Conditions on
// keys that only sessions have are not met, except MFA.
func (a *Access) MayArriving(ctx context.Context, who Arriving, action string, now time.Time) (ok, explicit bool,
	err error) {
	g, err := a.userGrants(ctx, who.User)
	if err == nil && g.Instance != who.Instance {
		err = store.ErrNotFound
	}
	if errors.Is(err, store.ErrNotFound) {
		return false, false, awsmodel.Fail("InvalidClientTokenId",
			"The security token included in the request is invalid.")
	}
	if err != nil {
		return false, false, fmt.Errorf("read policies of a user who signs in: %w", err)
	}
	policies, err := a.policies(ctx, who.User.Account, g)
	if err != nil {
		return false, false, err
	}
	arn := principal.UserARN(who.Partition, who.User.Account, g.Path, g.Name)
	d, err := policy.Evaluate(ctx, policy.Request{
		Principal: policy.Principal{Type: policy.User, ARN: arn, Account: who.User.Account, ID: g.ID},
		Action:    action, Resources: []string{arn},
		Context: Context(who.keys(arn, g, now)),
	}, policies)
	if err != nil {
		return false, false, fmt.Errorf("decide %s: %w", action, err)
	}
	return d.Allowed, d.Explicit, nil
}

// keys returns the condition keys of such a user.
func (who Arriving) keys(arn string, g *store.Grants, now time.Time) Keys {
	subject := &Subject{Tags: g.Tags, Call: who.Call}
	return func(name string) []string {
		switch name {
		case "aws:username":
			return some(g.Name)
		case "aws:userid":
			return some(g.ID)
		case "aws:principalarn":
			return some(arn)
		case "aws:principalaccount", "aws:resourceaccount":
			return some(who.User.Account)
		case "aws:principaltype":
			return some(principalTypes[principal.User])
		case "aws:requestedregion":
			return some("us-east-1")
		case "aws:multifactorauthpresent":
			return some(strconv.FormatBool(!who.MFA.IsZero()))
		case "aws:multifactorauthage":
			if who.MFA.IsZero() {
				return nil
			}
			return some(strconv.FormatInt(int64(max(0, now.Sub(who.MFA))/time.Second), 10))
		}
		if tags := TagValue(g.Tags, name); tags != nil {
			return tags
		}
		return subject.global(name, now)
	}
}

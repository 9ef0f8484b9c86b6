// Package principal is who is calling. A Caller can only be made from a
// verified signature, so code that takes one cannot be reached by a request
// that nobody authenticated.
package principal

import (
	"context"

	"rollcall/internal/sigv4"
	"rollcall/internal/store"
)

// Caller is an authenticated principal: root or a user of an account.
type Caller struct {
	owner   store.KeyOwner
	region  string
	service string
}

// Signed returns the caller who signed a request.
func Signed(v sigv4.Verified[store.KeyOwner]) Caller {
	return Caller{owner: v.Principal(), region: v.Region(), service: v.Service()}
}

// Account is the account's twelve digits.
func (c Caller) Account() string { return c.owner.User.Account }

// Partition is aws, aws-cn or aws-us-gov.
func (c Caller) Partition() string { return c.owner.Partition }

// IsRoot says whether the account's root user calls.
func (c Caller) IsRoot() bool { return c.owner.User.NameKey == "" }

// UserName is the user's name in its own case, "" for root.
func (c Caller) UserName() string { return c.owner.User.Name }

// NameKey is the user's folded name, "" for root.
func (c Caller) NameKey() string { return c.owner.User.NameKey }

// UserID is the user's AIDA… id; for root the account id.
func (c Caller) UserID() string { return c.owner.User.ID }

// AccessKeyID is the key that signed.
func (c Caller) AccessKeyID() string { return c.owner.Key.ID }

// Region is the region the signature was scoped to.
func (c Caller) Region() string { return c.region }

// Service is the service the signature was scoped to: iam or sts.
func (c Caller) Service() string { return c.service }

// ARN is the caller's Amazon Resource Name.
func (c Caller) ARN() string {
	if c.IsRoot() {
		return RootARN(c.Partition(), c.Account())
	}
	return UserARN(c.Partition(), c.Account(), c.owner.User.Path, c.owner.User.Name)
}

// RootARN is the ARN of an account's root user.
func RootARN(partition, account string) string {
	return "arn:" + partition + ":iam::" + account + ":root"
}

// UserARN is the ARN of an IAM user. path begins and ends with a slash.
func UserARN(partition, account, path, name string) string {
	return "arn:" + partition + ":iam::" + account + ":user" + path + name
}

type key struct{}

// With returns a context that carries the caller.
func With(ctx context.Context, c Caller) context.Context { return context.WithValue(ctx, key{}, c) }

// Of returns the caller of a context. A context without one belongs to no
// request: calling an action with it is a programmer's error, and panics.
func Of(ctx context.Context) Caller { return ctx.Value(key{}).(Caller) }

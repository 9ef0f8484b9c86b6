// Package principal identifies the caller. A Caller can only be made from a
// verified signature, or from the open session of somebody who signed in, so
// code that takes one cannot be reached by a request that nobody authenticated.
//
// One caller has several types on its way. None can stand for another: each
// knows more than the previous one, or is another name for the same facts.
//
//	type                what it is                                     created by
//	store.Owner         rows: a user, or root, and its account         the store
//	Signer              the owner of the key that a request claims     identity.SigningKey
//	sigv4.Verified      the proof that the key signed the request      sigv4.Verifier
//	store.SignedIn      the proof of an open session                   the store
//	Caller              a principal that calls, by one of the proofs   Signed, Opened
//	access.Subject      the caller as it is now, and what decides      access.Gather
//	                    its calls: policies, tags, how the call came
//	policy.Principal    the subject as policies name it                access
//	trail.Identity      the caller as CloudTrail names it              api
//
// Why they are not fewer:
//
//   - store.KeyOwner is an Owner with the row of its key, which has the secret. It
//     ends in SigningKey, so that no caller carries a secret.
//   - A Signer is not a Caller, because its signature is not verified yet.
//   - sigv4.Verified and store.SignedIn are proofs that only those packages can
//     create. Nothing else becomes a Caller.
//   - A Caller is as old as its proof. A Subject has the name, the path and the
//     policies of this moment.
//   - policy.Principal and trail.Identity keep the packages policy and trail free of
//     all others. They also describe principals that never call here: those of a
//     simulation, and operators.
package principal

import (
	"context"
	"strings"

	"rollcall/internal/sigv4"
	"rollcall/internal/store"
)

// Signer identifies the owner of the credentials that a signature was computed
// with.
type Signer struct {
	// Owner is the owner of the credentials. For a session its user is as it was
	// when the session was created.
	store.Owner
	KeyID   string
	Session *Session // nil for long-term keys
	// Grants are those of the owner if they were read together with the key, nil
	// otherwise.
	Grants *store.Grants
}

// Kind is the kind of a principal that calls.
type Kind uint8

// The kinds of callers.
const (
	User Kind = iota
	Root
	AssumedRole
	FederatedUser
)

// Caller is an authenticated principal.
type Caller struct {
	signer  Signer
	region  string
	service string
}

// Signed returns the caller who signed a request.
func Signed(v sigv4.Verified[Signer]) Caller {
	return Caller{signer: v.Principal(), region: v.Region(), service: v.Service()}
}

// Kind returns the kind of the caller. Sessions of a user and of root have the
// kind of their owner.
func (c Caller) Kind() Kind {
	switch s := c.signer.Session; {
	case s != nil && s.Role != nil:
		return AssumedRole
	case s != nil && s.Federated:
		return FederatedUser
	case c.signer.User.NameKey == "":
		return Root
	}
	return User
}

// Session returns the session of temporary credentials, nil for a long-term
// key. Callers must not change it.
func (c Caller) Session() *Session { return c.signer.Session }

// Grants returns what applies to the owner of the caller's key, if it was read
// together with the key for this call, nil otherwise.
func (c Caller) Grants() *store.Grants { return c.signer.Grants }

// Reread returns the caller without what was read together with its key.
func (c Caller) Reread() Caller {
	c.signer.Grants = nil
	return c
}

// Account returns the account's twelve digits.
func (c Caller) Account() string { return c.signer.User.Account }

// Instance distinguishes the account from earlier ones with its number.
func (c Caller) Instance() string { return c.signer.Instance }

// Tenant names the account forever, unlike its number, which a later account
// may have.
func (c Caller) Tenant() string { return strings.TrimSuffix(c.Account()+"/"+c.Instance(), "/") }

// Owner returns the owner of the caller's credentials.
func (c Caller) Owner() store.Owner { return c.signer.Owner }

// Partition returns aws, aws-cn or aws-us-gov.
func (c Caller) Partition() string { return c.signer.Partition }

// As returns the caller under the present name and path of its user or role. Those
// in a session's token are as old as the session.
func (c Caller) As(nameKey, name, path string) Caller {
	c = c.Reread()
	if c.Kind() != AssumedRole {
		u := &c.signer.User
		u.NameKey, u.Name, u.Path = nameKey, name, path
		return c
	}
	session := *c.signer.Session
	session.Role = &AssumedRoleOf{NameKey: nameKey, Name: name, Path: path, ID: session.Role.ID}
	c.signer.Session = &session
	return c
}

// IsRoot reports whether the account's root user calls, by its key or in a
// session.
func (c Caller) IsRoot() bool { return c.Kind() == Root }

// HasUser reports whether the caller is a user or root. For roles and federated
// users, UserName and NameKey name nobody.
func (c Caller) HasUser() bool { k := c.Kind(); return k == User || k == Root }

// UserName returns the user's name in its own case, "" for root, roles and
// federated users.
func (c Caller) UserName() string {
	if !c.HasUser() {
		return ""
	}
	return c.signer.User.Name
}

// NameKey returns the user's folded name, "" for root; check HasUser first.
func (c Caller) NameKey() string { return c.signer.User.NameKey }

// User returns the user who calls, or for whom a federated user calls. Its
// NameKey is empty for root and for roles.
func (c Caller) User() store.User { return c.signer.User }

// UserID returns the unique id of the caller: AIDA… for a user, the account for
// root, AROA…:session for a role, account:name for a federated user.
func (c Caller) UserID() string {
	switch s := c.signer.Session; c.Kind() {
	case AssumedRole:
		return s.Role.ID + ":" + s.Name
	case FederatedUser:
		return c.Account() + ":" + s.Name
	}
	return c.signer.User.ID
}

// AccessKeyID returns the key that signed.
func (c Caller) AccessKeyID() string { return c.signer.KeyID }

// Region returns the region the signature was scoped to.
func (c Caller) Region() string { return c.region }

// Service returns the service the signature was scoped to: iam or sts.
func (c Caller) Service() string { return c.service }

// ARN returns the caller's Amazon Resource Name. For a role's session it is that of
// the session.
func (c Caller) ARN() string {
	switch s := c.signer.Session; c.Kind() {
	case Root:
		return RootARN(c.Partition(), c.Account())
	case AssumedRole:
		return AssumedRoleARN(c.Partition(), c.Account(), s.Role.Name, s.Name)
	case FederatedUser:
		return FederatedUserARN(c.Partition(), c.Account(), s.Name)
	}
	return UserARN(c.Partition(), c.Account(), c.signer.User.Path, c.signer.User.Name)
}

// RootARN returns the ARN of an account's root user.
func RootARN(partition, account string) string {
	return "arn:" + partition + ":iam::" + account + ":root"
}

// UserARN returns the ARN of an IAM user. path begins and ends with a slash.
func UserARN(partition, account, path, name string) string {
	return "arn:" + partition + ":iam::" + account + ":user" + path + name
}

// RoleARN returns the ARN of a role. path begins and ends with a slash.
func RoleARN(partition, account, path, name string) string {
	return "arn:" + partition + ":iam::" + account + ":role" + path + name
}

// AssumedRoleARN returns the ARN of a role's session. It has no path.
func AssumedRoleARN(partition, account, role, session string) string {
	return "arn:" + partition + ":sts::" + account + ":assumed-role/" + role + "/" + session
}

// FederatedUserARN returns the ARN of a federated user.
func FederatedUserARN(partition, account, name string) string {
	return "arn:" + partition + ":sts::" + account + ":federated-user/" + name
}

type key struct{}

// With returns a context that carries the caller.
func With(ctx context.Context, c Caller) context.Context { return context.WithValue(ctx, key{}, c) }

// Of returns the caller of a context. For a context without one it panics, because
// that is a mistake in the program.
func Of(ctx context.Context) Caller { return ctx.Value(key{}).(Caller) }

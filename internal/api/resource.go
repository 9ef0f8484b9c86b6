package api

import (
	"reflect"

	"rollcall/internal/principal"
)

// Everything is the resource of actions that act on no particular one.
func Everything(principal.Caller, any) string { return "*" }

// Existing names a resource the way AWS's denials name one that is there:
// its kind and its name, "user bob". Where the member is not given the
// caller's own user is meant.
func Existing(kind, member string) func(principal.Caller, any) string {
	return func(c principal.Caller, in any) string {
		name := text(in, member)
		if name == "" {
			name = c.UserName()
		}
		return kind + " " + name
	}
}

// ARN names a resource by its ARN, as denials do for one that is about to be
// made, and for lists below a path.
func ARN(kind, pathMember, nameMember string) func(principal.Caller, any) string {
	return func(c principal.Caller, in any) string {
		path := text(in, pathMember)
		if path == "" {
			path = "/"
		}
		return "arn:" + c.Partition() + ":iam::" + c.Account() + ":" + kind + path + text(in, nameMember)
	}
}

// Given names a resource by the ARN that the request itself gives.
func Given(member string) func(principal.Caller, any) string {
	return func(_ principal.Caller, in any) string { return text(in, member) }
}

// text reads an optional string member of an input structure.
func text(in any, member string) string {
	if member == "" {
		return ""
	}
	f := reflect.ValueOf(in).Elem().FieldByName(member)
	if !f.IsValid() || f.IsNil() {
		return ""
	}
	return f.Elem().String()
}

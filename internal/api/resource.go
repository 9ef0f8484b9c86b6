package api

import (
	"context"
	"reflect"
	"strings"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// Needing is the Needs of an action.
type Needing = func(ctx context.Context, c principal.Caller, in any) ([]Need, error)

// On is one need of the called action itself on the resources.
func On(resources ...Resource) []Need { return []Need{{Resources: resources}} }

// Everything is the need of actions that act on no particular thing.
func Everything(context.Context, principal.Caller, any) ([]Need, error) {
	return On(Resource{ARN: "*"}), nil
}

// ARN is the need on a thing by its ARN, as for one that is about to be made.
// Denials name the ARN.
func ARN(kind, pathMember, nameMember string) Needing {
	return func(_ context.Context, c principal.Caller, in any) ([]Need, error) {
		path := Text(in, pathMember)
		if path == "" {
			path = "/"
		}
		return On(Resource{ARN: IAMARN(c, kind, path+Text(in, nameMember))}), nil
	}
}

// Below is the need on all things of a kind whose paths begin as a member
// says, for lists. AWS asks for the prefix itself. One that does not end in a
// slash may be the ARN of a single thing, which is not all that is read: then
// what begins so must be allowed too. Denials name the prefix.
func Below(kind, member string) Needing {
	return func(_ context.Context, c principal.Caller, in any) ([]Need, error) {
		prefix := Text(in, member)
		if prefix == "" {
			prefix = "/"
		}
		r := Resource{ARN: IAMARN(c, kind, prefix)}
		if strings.HasSuffix(prefix, "/") {
			return On(r), nil
		}
		return On(r, Resource{ARN: r.ARN + "*", Label: r.ARN}), nil
	}
}

// IAMARN is the ARN of something of the caller's account: kind is "user", rest
// begins with a slash.
func IAMARN(c principal.Caller, kind, rest string) string {
	return "arn:" + c.Partition() + ":iam::" + c.Account() + ":" + kind + rest
}

// Given is the need on a thing by the ARN that the request itself gives.
func Given(member string) Needing {
	return func(_ context.Context, _ principal.Caller, in any) ([]Need, error) {
		return On(Resource{ARN: Text(in, member)}), nil
	}
}

// WithKeys adds condition keys that members of the input give to the first of
// the needs: {"iam:policyarn": "PolicyArn"}.
func WithKeys(needing Needing, members map[string]string) Needing {
	return func(ctx context.Context, c principal.Caller, in any) ([]Need, error) {
		needs, err := needing(ctx, c, in)
		if err != nil {
			return nil, err
		}
		needs[0].Keys = func(key string) []string {
			if v := Text(in, members[key]); v != "" {
				return []string{v}
			}
			return nil
		}
		return needs, nil
	}
}

// Text reads an optional string member of an input structure, "" where there
// is none.
func Text(in any, member string) string {
	if member == "" {
		return ""
	}
	f := reflect.ValueOf(in).Elem().FieldByName(member)
	switch {
	case !f.IsValid():
		return ""
	case f.Kind() == reflect.String: // an enum
		return f.String()
	case f.Kind() != reflect.Pointer || f.IsNil() || f.Elem().Kind() != reflect.String:
		return ""
	}
	return f.Elem().String()
}

// Tags are the tags that an input sets, of whichever service.
func Tags(in any) []store.Tag {
	f := reflect.ValueOf(in).Elem().FieldByName("Tags")
	if !f.IsValid() || f.Kind() != reflect.Slice {
		return nil
	}
	var tags []store.Tag
	for i := range f.Len() {
		t := f.Index(i).Addr().Interface()
		key := Text(t, "Key")
		tags = append(tags, store.Tag{Fold: strings.ToLower(key), Key: key, Value: Text(t, "Value")})
	}
	return tags
}

func textList(in any, member string) []string {
	f := reflect.ValueOf(in).Elem().FieldByName(member)
	if !f.IsValid() {
		return nil
	}
	list, _ := f.Interface().([]string)
	return list
}

package api

import (
	"context"
	"reflect"
	"strings"

	"rollcall/internal/principal"
)

// Target is the set of things that an action acts on.
type Target struct {
	bind  func(in reflect.Type) (find, error)
	quota Quota // limits the number of such things, if the action creates one
}

// find returns the things that a call acts on.
type find func(ctx context.Context, c principal.Caller, in any) ([]Resource, error)

// ByMembers returns a target that is found by texts of the input. found gets
// the values in the order of the members, "" for one that is not set. A member
// "" has no value.
func ByMembers(
	found func(ctx context.Context, c principal.Caller, values []string) ([]Resource, error), members ...string,
) Target {
	return Target{bind: func(t reflect.Type) (find, error) {
		bound := make([]textMember, len(members))
		for i, name := range members {
			var err error
			if bound[i], err = findText(t, name); err != nil {
				return nil, err
			}
		}
		return func(ctx context.Context, c principal.Caller, in any) ([]Resource, error) {
			values := make([]string, len(bound))
			for i, m := range bound {
				values[i] = m.of(in)
			}
			return found(ctx, c, values)
		}, nil
	}}
}

// ByInput returns a target that is found by other parts of the input too.
func ByInput[I any](found func(ctx context.Context, c principal.Caller, in *I) ([]Resource, error)) Target {
	return Target{bind: func(t reflect.Type) (find, error) {
		return func(ctx context.Context, c principal.Caller, in any) ([]Resource, error) {
			return found(ctx, c, in.(*I))
		}, same[I](t)
	}}
}

// Making adds the quota on the number of such things.
func (t Target) Making(q Quota) Target {
	t.quota = q
	return t
}

// Everything is the target of actions that act on no particular thing.
var Everything = ByMembers(func(context.Context, principal.Caller, []string) ([]Resource, error) {
	return []Resource{{ARN: "*"}}, nil
})

// Below returns the target for all things of a kind whose paths begin with the
// value of a member, for lists. AWS authorizes the prefix itself. A prefix
// without a slash at the end may be the ARN of a single thing, although the
// list contains more. Then everything that begins with it must be allowed too.
// Denials name the prefix, after label if there is one.
func Below(kind, label, member string) Target {
	return ByMembers(func(_ context.Context, c principal.Caller, v []string) ([]Resource, error) {
		prefix := PathOrRoot(v[0])
		r := Resource{ARN: IAMARN(c, kind, prefix)}
		if r.Label = r.ARN; label != "" {
			r.Label = label + prefix
		}
		if strings.HasSuffix(prefix, "/") {
			return []Resource{r}, nil
		}
		return []Resource{r, {ARN: r.ARN + "*", Label: r.Label}}, nil
	}, member)
}

// PathOrRoot returns the path of a request, "/" if it has none.
func PathOrRoot(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// IAMARN returns the ARN of a thing of the caller's account: kind is "user", and
// rest begins with a slash.
func IAMARN(c principal.Caller, kind, rest string) string {
	return "arn:" + c.Partition() + ":iam::" + c.Account() + ":" + kind + rest
}

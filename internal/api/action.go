package api

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"rollcall/internal/access"
	"rollcall/internal/awsmodel"
	"rollcall/internal/awsquery"
	"rollcall/internal/principal"
	"rollcall/internal/trail"
)

// Action is one action of the API, with everything in its registration. Bind
// creates it.
type Action struct {
	awsquery.Operation
	effect      Effect
	target      find
	keys        keysOf
	tagging     *tagging
	also        func(ctx context.Context, c principal.Caller, in any) ([]Need, error)
	granted     func(ctx context.Context) (bool, error)
	unsigned    func(in, out any) trail.Identity
	free        bool
	decides     bool
	unexplained bool
	sessions    bool   // sessions of users may call it
	federated   string // the sentence for federated users, if it is not the usual one
	quotas      []Quota
	recorded    map[string]bool
	request     requestMembers
}

// Effect says what a call of an action does.
type Effect uint8

const (
	// Reads is the effect of an action that changes nothing.
	Reads Effect = iota + 1
	// Changes is the effect of an action that changes the store, or starts a job
	// that does. It runs only while the trail can be written, and is acknowledged
	// only when its record is.
	Changes
	// Issues is the effect of an action that stores nothing and issues credentials.
	// CloudTrail calls such an action read-only, but keeps its answer. Here the rule
	// of changes applies: no credentials are issued without a record.
	Issues
)

// readOnly returns CloudTrail's readOnly.
func (a *Action) readOnly() bool { return a.effect != Changes }

// binding says whether the action needs a record.
func (a *Action) binding() bool { return a.effect != Reads }

// Unsigned says whether a request needs no signature, because it contains a
// proof of its own that the action checks.
func (a *Action) Unsigned() bool { return a.unsigned != nil }

// Effect returns what a call of the action does.
func (a *Action) Effect() Effect { return a.effect }

// Quotas returns the quotas that a call of the action counts against.
func (a *Action) Quotas() []Quota { return a.quotas }

// Quota is a limit of IAM with its default. Its name is that of LimitExceeded and
// of the operator's commands.
type Quota struct {
	Name  string
	Value int
}

// Part is one fact of a registration.
type Part func(*binding) error

// binding is an action while it is bound to its method.
type binding struct {
	*Action
	in, out reflect.Type // the types of the method's input and output
	sorts   int          // number of parts that say who may call it
}

// Bind registers a method with the SDK's signature as an action: the effect of a
// call, and everything else about the action. It looks for the name of each member
// in the method's input. A name that is not there is a mistake in the program and
// panics when the program starts.
func Bind[I, O any](method func(context.Context, *I) (*O, error), effect Effect, parts ...Part) Action {
	return bind(awsquery.Of(method), effect, reflect.TypeFor[I](), reflect.TypeFor[O](), parts)
}

// bind is Bind for types that are values: it is in the program once, and not once
// for each action.
func bind(op awsquery.Operation, effect Effect, in, out reflect.Type, parts []Part) Action {
	a := Action{Operation: op, effect: effect}
	b := &binding{Action: &a, in: in, out: out}
	if err := b.declare(parts); err != nil {
		panic(fmt.Sprintf("api: register %s: %v", a.Name, err))
	}
	return a
}

func (b *binding) declare(parts []Part) error {
	if b.effect < Reads || b.effect > Issues {
		return fmt.Errorf("no effect %d", b.effect)
	}
	b.request = requestMembersOf(b.in)
	for _, part := range parts {
		if err := part(b); err != nil {
			return err
		}
	}
	if b.sorts != 1 {
		return errors.New("needs one of On, Free, Decides and Unsigned")
	}
	if b.request.tags != nil && b.target != nil && b.tagging == nil && !strings.HasPrefix(b.Name, "Tag") {
		return errors.New("its input has Tags, and no Tagging says which permission they need")
	}
	return nil
}

// On says what the action acts on, and which condition keys come from its
// input. Policies decide which callers may call it.
func On(target Target, keys ...Key) Part {
	return func(b *binding) (err error) {
		b.sorts++
		if target.quota.Name != "" {
			b.quotas = append(b.quotas, target.quota)
		}
		if b.target, err = target.bind(b.in); err != nil {
			return err
		}
		b.keys, err = bindKeys(b.in, keys)
		return err
	}
}

// Tagging names the permission that a request with tags needs besides the action's
// own, on the same thing. keys are the condition keys of this permission.
func Tagging(action string, keys ...Key) Part {
	return func(b *binding) error {
		if b.request.tags == nil {
			return fmt.Errorf("%s has no Tags", b.in)
		}
		of, err := bindKeys(b.in, keys)
		b.tagging = &tagging{action, of}
		return err
	}
}

// tagging is the permission to tag.
type tagging struct {
	action string
	keys   keysOf
}

// Also finds the permissions that a call needs besides the action's own, such as
// iam:PassRole. An error ends the call.
func Also[I any](needs func(ctx context.Context, c principal.Caller, in *I) ([]Need, error)) Part {
	return func(b *binding) error {
		b.also = func(ctx context.Context, c principal.Caller, in any) ([]Need, error) { return needs(ctx, c, in.(*I)) }
		return same[I](b.in)
	}
}

// Granted says when a user may call the action without a policy that allows
// it. A deny still denies.
func Granted(may func(context.Context) (bool, error)) Part {
	return func(b *binding) error { b.granted = may; return nil }
}

// Free says that the action needs no permission, and cannot be denied.
func Free(b *binding) error { b.free = true; b.sorts++; return nil }

// Decides says that the action itself decides who may call it, by the
// access.Subject of its context: AssumeRole asks the role's trust policy.
func Decides(b *binding) error { b.decides = true; b.sorts++; return nil }

// BySessions says that sessions of users may call the action, with or without MFA.
// Federated users may not: federated is the text of their denial, "" for the text
// of most actions.
func BySessions(federated string) Part {
	return func(b *binding) error { b.sessions, b.federated = true, federated; return nil }
}

// Unexplained says that denials of the action give no reason.
func Unexplained(b *binding) error { b.unexplained = true; return nil }

// Unsigned says that a request needs no signature, because it contains a proof of
// its own that the action checks. by returns the caller for the trail; out is nil
// if the call was refused.
func Unsigned[I, O any](by func(in *I, out *O) trail.Identity) Part {
	return func(b *binding) error {
		b.sorts++
		b.unsigned = func(in, out any) trail.Identity {
			o, _ := out.(*O)
			return by(in.(*I), o)
		}
		return errors.Join(same[I](b.in), same[O](b.out))
	}
}

// Within says which quotas a call counts against, besides the quota of the kind of
// thing that it creates.
func Within(quotas ...Quota) Part {
	return func(b *binding) error { b.quotas = append(b.quotas, quotas...); return nil }
}

// Record names members of the input or output, at any depth, that the trail keeps
// for this action besides those of trail.MayRecord.
func Record(members ...string) Part {
	return func(b *binding) error {
		b.recorded = map[string]bool{}
		for _, name := range members {
			if trail.MayRecord(name) {
				return fmt.Errorf("the trail keeps %s of every action", name)
			}
			path, ok := memberPath(b.in, name, 0)
			if !ok {
				path, ok = memberPath(b.out, name, 0)
			}
			if !ok {
				return fmt.Errorf("neither %s nor %s has a member %s", b.in, b.out, name)
			}
			if awsmodel.Sensitive(b.Name, path) {
				return fmt.Errorf("%s is a secret", path)
			}
			b.recorded[name] = true
		}
		return nil
	}
}

// same returns an error unless a part of a registration has the method's own
// type.
func same[T any](of reflect.Type) error {
	if t := reflect.TypeFor[T](); t != of {
		return fmt.Errorf("a part is about %s, and the method about %s", t, of)
	}
	return nil
}

// needs finds the permissions that a call needs. in has passed the model's
// checks.
func (a *Action) needs(ctx context.Context, c principal.Caller, in any) ([]Need, error) {
	on, err := a.target(ctx, c, in)
	if err != nil {
		return nil, err
	}
	needs := []Need{{Resources: on, Keys: a.keys.of(in)}}
	if t := a.tagging; t != nil && len(a.request.tagsOf(in)) > 0 {
		needs = append(needs, Need{Action: t.action, Resources: on, Keys: t.keys.of(in)})
	}
	if a.also == nil {
		return needs, nil
	}
	more, err := a.also(ctx, c, in)
	return append(needs, more...), err
}

// requestKeys returns the condition keys of the tags that a request sets or
// removes.
func (a *Action) requestKeys(in any) access.Keys {
	tags, removed := a.request.tagsOf(in), a.request.removed(in)
	if len(tags) == 0 && len(removed) == 0 {
		return nil
	}
	return access.RequestTags(tags, removed)
}

// errNotSigned refuses an unsigned call of an action that needs a signature.
var errNotSigned = awsmodel.Fail("MissingAuthenticationToken", "Request is missing Authentication Token")

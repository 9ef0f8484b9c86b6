package identity

import (
	"context"
	"errors"

	"rollcall/internal/access"
	"rollcall/internal/api"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// kind is a kind of thing that actions act on. It holds everything that is the
// same for all actions. The permissions that each action needs follow AWS's
// service authorization reference for IAM. The kinds are in kinds.go.
type kind struct {
	arn string // the kind's name in ARNs: "user"
	// Denials put label before the name, such as "user ". They use newLabel for
	// a thing that the call would create, and renamedLabel for the new name of
	// a thing. If a label is "", denials contain the ARN.
	label, newLabel, renamedLabel string
	quota                         api.Quota // limits how many an account may have
	// find reads a thing by its name, for authorization. For a missing thing it
	// returns one with the path "/", because a caller must not learn what exists
	// before the call is authorized. It is nil for kinds that actions name by
	// ARN.
	find func(ctx context.Context, s *Service, c principal.Caller, name string) (thing, error)
	tags tagging
}

// thing holds what authorization knows about one thing.
type thing struct {
	path, name string
	keys       func(key string) ([]string, error) // see api.Resource; nil if only its tags are keys
}

// kindOn is a kind bound to a service.
type kindOn struct {
	kind
	s *Service
}

func (k kind) on(s *Service) kindOn { return kindOn{k, s} }

// named reads the thing with a name.
func (k kindOn) named(ctx context.Context, c principal.Caller, name string) (thing, error) {
	t, err := k.find(ctx, k.s, c, name)
	if t.keys == nil {
		t.keys = k.tagged(ctx, k.s, c, name)
	}
	return t, err
}

// labelled sets the name of a resource in a denial. If label is "", the denial
// contains the ARN.
func labelled(label, name string) string {
	if label == "" {
		return ""
	}
	return label + name
}

func (k kind) resource(c principal.Caller, t thing, label string) api.Resource {
	return api.Resource{ARN: api.IAMARN(c, k.arn, t.path+t.name), Label: labelled(label, t.name), Keys: t.keys}
}

// Named returns the target for the thing that a member names.
func (k kindOn) Named(member string) api.Target {
	return api.ByMembers(func(ctx context.Context, c principal.Caller, v []string) ([]api.Resource, error) {
		t, err := k.named(ctx, c, v[0])
		return []api.Resource{k.resource(c, t, k.label)}, err
	}, member)
}

// Renamed returns the target for the thing that a member names. If the request
// gives the thing another name or path, the thing as it will be is a target
// too. IAM UpdateUser: the caller needs permission on both the old name and the
// new one.
func (k kindOn) Renamed(member, newPath, newName string) api.Target {
	return api.ByMembers(func(ctx context.Context, c principal.Caller, v []string) ([]api.Resource, error) {
		t, err := k.named(ctx, c, v[0])
		if err != nil {
			return nil, err
		}
		on := []api.Resource{k.resource(c, t, k.label)}
		if v[1] == "" && v[2] == "" {
			return on, nil
		}
		renamed := t // the thing keeps its tags
		if v[1] != "" {
			renamed.path = v[1]
		}
		if v[2] != "" {
			renamed.name = v[2]
		}
		return append(on, k.resource(c, renamed, k.renamedLabel)), nil
	}, member, newPath, newName)
}

// New returns the target for a thing that the call creates. Its path and its
// name come from two members. It counts against the quota of its kind.
func (k kindOn) New(path, name string) api.Target {
	return api.ByMembers(func(_ context.Context, c principal.Caller, v []string) ([]api.Resource, error) {
		return []api.Resource{k.resource(c, thing{path: api.PathOrRoot(v[0]), name: v[1]}, k.newLabel)}, nil
	}, path, name).Making(k.quota)
}

// Below returns the target for all things of the kind whose paths begin with
// the value of a member.
func (k kindOn) Below(member string) api.Target { return api.Below(k.arn, "", member) }

// At returns the target for the thing whose ARN a member contains.
func (k kindOn) At(member string) api.Target {
	return api.ByMembers(func(ctx context.Context, c principal.Caller, v []string) ([]api.Resource, error) {
		return []api.Resource{k.at(ctx, c, v[0])}, nil
	}, member)
}

func (k kindOn) at(ctx context.Context, c principal.Caller, arn string) api.Resource {
	return api.Resource{ARN: arn, Label: labelled(k.label, arn), Keys: k.tagged(ctx, k.s, c, arn)}
}

// tagged returns the condition keys of a thing that has only tags.
// principalKeys does the same for a principal.
func (k kind) tagged(ctx context.Context, s *Service, c principal.Caller, name string) func(string) ([]string, error) {
	var tags []store.Tag
	var have bool
	return func(key string) ([]string, error) {
		if key == "aws:resourceaccount" {
			return []string{c.Account()}, nil
		}
		if _, ok := access.ResourceTag(key); !ok {
			return nil, nil
		}
		if !have {
			err := s.db.View(ctx, func(tx *store.Tx) error {
				of, err := k.tags.key(tx, c, name)
				if err == nil && of != "" {
					tags, err = tx.Tags(k.tags.of, c.Account(), of, maxTags)
				}
				return err
			})
			if err != nil {
				return nil, err
			}
			have = true
		}
		return access.TagValue(tags, key), nil
	}
}

// principalKeys returns the condition keys of a user or a role: its tags and
// its boundary. They are read once, and only if a policy asks for one of them.
// Policies ask this function for every key that the call itself does not have.
func principalKeys(
	ctx context.Context, account string, read func(context.Context) (*store.Grants, error),
) func(string) ([]string, error) {
	var g *store.Grants
	return func(key string) ([]string, error) {
		if key == "aws:resourceaccount" {
			return []string{account}, nil
		}
		if _, ok := access.ResourceTag(key); !ok && key != "iam:permissionsboundary" {
			return nil, nil
		}
		if g == nil {
			found, err := read(ctx)
			if errors.Is(err, store.ErrNotFound) {
				found, err = &store.Grants{}, nil
			}
			if err != nil {
				return nil, err
			}
			g = found
		}
		if key != "iam:permissionsboundary" {
			return access.TagValue(g.Tags, key), nil
		}
		for i := range g.Policies {
			if p := &g.Policies[i]; p.Kind == store.BoundaryGrant {
				return []string{p.ARN}, nil
			}
		}
		return nil, nil
	}
}

// oneKey returns one condition key with one value.
func oneKey(name, value string) access.Keys {
	return func(key string) []string {
		if key == name {
			return []string{value}
		}
		return nil
	}
}

// accountKeys returns the condition keys of a thing that only has an account.
func accountKeys(c principal.Caller) func(string) ([]string, error) {
	return func(key string) ([]string, error) {
		if key == "aws:resourceaccount" {
			return []string{c.Account()}, nil
		}
		return nil, nil
	}
}

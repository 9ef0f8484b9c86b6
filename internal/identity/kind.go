package identity

import (
	"context"
	"errors"

	"rollcall/internal/access"
	"rollcall/internal/api"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// kind is a kind of thing that actions act on: all that is the same whatever
// the action. What each action needs follows AWS's service authorization
// reference for IAM. The kinds are in kinds.go.
type kind struct {
	arn string // what ARNs call it: "user"
	// Denials put label before the name, "user ", of one that is about to be
	// made newLabel, and of the name that one is about to be given
	// renamedLabel. "" has them say the ARN.
	label, newLabel, renamedLabel string
	quota                         api.Quota // on how many an account may have
	// find reads one by its name, for authorization. One that is not there is
	// one at the root: it cannot be found before the caller may know that. It is
	// nil for kinds that actions name by ARN.
	find func(ctx context.Context, s *Service, c principal.Caller, name string) (thing, error)
	tags tagging
}

// thing holds what authorization knows about one thing.
type thing struct {
	path, name string
	keys       func(key string) ([]string, error) // see api.Resource; nil for those of its tags alone
}

// kindOn is a kind of things on a service.
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

// labelled sets the name of something in a denial; with "" the denial names the
// ARN.
func labelled(label, name string) string {
	if label == "" {
		return ""
	}
	return label + name
}

func (k kind) resource(c principal.Caller, t thing, label string) api.Resource {
	return api.Resource{ARN: api.IAMARN(c, k.arn, t.path+t.name), Label: labelled(label, t.name), Keys: t.keys}
}

// Named is the thing that a member names.
func (k kindOn) Named(member string) api.Target {
	return api.ByMembers(func(ctx context.Context, c principal.Caller, v []string) ([]api.Resource, error) {
		t, err := k.named(ctx, c, v[0])
		return []api.Resource{k.resource(c, t, k.label)}, err
	}, member)
}

// Renamed is the thing that a member names and, where a request gives it
// another name or path, what it will be then. IAM UpdateUser: the caller must
// have permission on both, the old name and the new one.
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
		renamed := t // its tags stay with it
		if v[1] != "" {
			renamed.path = v[1]
		}
		if v[2] != "" {
			renamed.name = v[2]
		}
		return append(on, k.resource(c, renamed, k.renamedLabel)), nil
	}, member, newPath, newName)
}

// New is a thing that is about to be made, by the members that give its path
// and its name. It counts against the quota of its kind.
func (k kindOn) New(path, name string) api.Target {
	return api.ByMembers(func(_ context.Context, c principal.Caller, v []string) ([]api.Resource, error) {
		return []api.Resource{k.resource(c, thing{path: api.PathOrRoot(v[0]), name: v[1]}, k.newLabel)}, nil
	}, path, name).Making(k.quota)
}

// Below is all things of the kind whose paths begin as a member says.
func (k kindOn) Below(member string) api.Target { return api.Below(k.arn, "", member) }

// At is the thing whose ARN a member gives.
func (k kindOn) At(member string) api.Target {
	return api.ByMembers(func(ctx context.Context, c principal.Caller, v []string) ([]api.Resource, error) {
		return []api.Resource{k.at(ctx, c, v[0])}, nil
	}, member)
}

func (k kindOn) at(ctx context.Context, c principal.Caller, arn string) api.Resource {
	return api.Resource{ARN: arn, Label: labelled(k.label, arn), Keys: k.tagged(ctx, k.s, c, arn)}
}

// tagged are the condition keys of a thing that has tags and nothing else, as
// principalKeys are those of a principal.
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

// principalKeys are the condition keys of a user or a role: its tags, and the
// boundary it has. They are read once, and only for a key that is among them:
// every key that the call itself does not have is asked for here.
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

// oneKey is one condition key with one value.
func oneKey(name, value string) access.Keys {
	return func(key string) []string {
		if key == name {
			return []string{value}
		}
		return nil
	}
}

// accountKeys are the condition keys of a thing of which only its account can
// be asked.
func accountKeys(c principal.Caller) func(string) ([]string, error) {
	return func(key string) ([]string, error) {
		if key == "aws:resourceaccount" {
			return []string{c.Account()}, nil
		}
		return nil, nil
	}
}

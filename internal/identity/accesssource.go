package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rollcall/internal/api"
	"rollcall/internal/managedpolicy"
	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// source is a user, a group or a role whose access a caller asks about, with
// all policies that apply to it.
type source struct {
	kind     store.Entity
	arn      string
	nameKey  string
	name     string
	tags     []store.Tag
	identity []sourcePolicy
	boundary []sourcePolicy
	control  []sourcePolicy
}

// sourcePolicy is one policy and its owner.
type sourcePolicy struct {
	policy.Policy
	text string
	// of and entity are the kind and the name of the owner of an inline policy.
	// They are empty for managed policies.
	of     store.Entity
	entity string
}

// entityARN splits the ARN of an entity of the caller's account into its kind
// and its name. The text is reported by users of AWS. An entity of another
// account gets the same error.
func entityARN(c principal.Caller, arn string) (kind store.Entity, name string, err error) {
	if kind, name, ok := splitEntityARN(c, arn); ok {
		return kind, name, nil
	}
	return "", "", fail("InvalidInput", "Invalid Entity Arn: %s does not clearly define entity type and name.", arn)
}

func splitEntityARN(c principal.Caller, arn string) (kind store.Entity, name string, ok bool) {
	for _, kind := range []store.Entity{store.UserEntity, store.GroupEntity, store.RoleEntity} {
		rest, ok := strings.CutPrefix(arn, api.IAMARN(c, string(kind), "/"))
		if name = rest[strings.LastIndexByte(rest, '/')+1:]; ok && name != "" {
			return kind, name, true
		}
	}
	return "", "", false
}

// onEntity returns the target for the user, group or role whose ARN a member
// contains. Denials name it as other actions do.
func (s *Service) onEntity(member string) api.Target {
	return api.ByMembers(func(ctx context.Context, c principal.Caller, v []string) ([]api.Resource, error) {
		r, err := s.entityResource(ctx, c, v[0])
		return []api.Resource{r}, err
	}, member)
}

// entityResource returns an entity for authorization. For an ARN that names no
// entity it returns the ARN, because a caller must not learn what exists before
// the call is authorized.
func (s *Service) entityResource(ctx context.Context, c principal.Caller, arn string) (api.Resource, error) {
	kind, name, ok := splitEntityARN(c, arn)
	if !ok {
		return api.Resource{ARN: arn}, nil
	}
	k := userKind.on(s)
	switch kind {
	case store.GroupEntity:
		k = groupKind.on(s)
	case store.RoleEntity:
		k = roleKind.on(s)
	}
	t, err := k.named(ctx, c, name)
	return k.resource(c, t, k.label), err
}

// readSource reads an entity by its ARN with all policies that apply to it.
func (s *Service) readSource(tx *store.Tx, c principal.Caller, arn string) (source, error) {
	kind, name, err := entityARN(c, arn)
	if err != nil {
		return source{}, err
	}
	src := source{kind: kind, arn: arn, nameKey: fold(name)}
	var grants []store.Grant
	var path string
	switch kind {
	case store.GroupEntity:
		g, err := group(tx, c.Account(), name)
		if err != nil {
			return src, err
		}
		src.name, path = g.Name, g.Path
		if grants, err = groupGrants(tx, c.Account(), src.nameKey); err != nil {
			return src, err
		}
	case store.RoleEntity:
		g, err := tx.RoleGrants(c.Account(), src.nameKey)
		if errors.Is(err, store.ErrNotFound) {
			_, err = role(tx, c.Account(), name)
		}
		if err != nil {
			return src, err
		}
		src.name, path, src.tags, grants = g.Name, g.Path, g.Tags, g.Policies
	default:
		g, err := tx.UserGrants(c.Account(), src.nameKey)
		if errors.Is(err, store.ErrNotFound) {
			err = errNoUser(name)
		}
		if err != nil {
			return src, err
		}
		src.name, path, src.tags, grants = g.Name, g.Path, g.Tags, g.Policies
	}
	// The path is ignored (recorded).
	src.arn = api.IAMARN(c, string(kind), path+src.name)
	return src, s.addGrants(tx, c, &src, grants)
}

// groupGrants returns the policies that a group gives to its members and those
// that limit them.
func groupGrants(tx *store.Tx, account, nameKey string) ([]store.Grant, error) {
	grants, err := tx.GroupGrants(account, nameKey)
	if err != nil {
		return nil, err
	}
	control, err := tx.ControlPolicies(account)
	for _, p := range control {
		grants = append(grants, store.Grant{Kind: store.ControlGrant, Name: p.Name, Document: p.Document})
	}
	return grants, err
}

// addGrants parses the policies that apply to an entity. An unreadable document
// is an error, as it is when a call is decided.
func (s *Service) addGrants(tx *store.Tx, c principal.Caller, src *source, grants []store.Grant) error {
	groups := map[string]string{}
	for _, g := range grants {
		p := sourcePolicy{Policy: policy.Policy{ARN: g.ARN, Name: g.Name}, text: g.Document}
		kind, list := policy.Inline, &src.identity
		switch g.Kind {
		case store.ManagedGrant:
			kind = policy.Managed
		case store.BoundaryGrant:
			kind, list = policy.Boundary, &src.boundary
		case store.ControlGrant:
			kind, list = policy.Control, &src.control
		default:
			p.of, p.entity = src.kind, src.name
			if g.Group != "" && src.kind != store.GroupEntity {
				if groups[g.Group] == "" {
					of, err := tx.Group(c.Account(), g.Group)
					if err != nil {
						return err
					}
					groups[g.Group] = of.Name
				}
				p.of, p.entity = store.GroupEntity, groups[g.Group]
			}
		}
		if aws := managedpolicy.Find(g.ARN); p.text == "" && aws != nil {
			p.text = aws.Document
		}
		var err error
		if p.Document, err = s.access.Document(kind, p.text); err != nil {
			return fmt.Errorf("stored policy %s%s: %w", g.ARN, g.Name, err)
		}
		*list = append(*list, p)
	}
	return nil
}

// policies returns the parsed policies without their owners.
func policies(list []sourcePolicy) []policy.Policy {
	var all []policy.Policy
	for _, p := range list {
		all = append(all, p.Policy)
	}
	return all
}

package identity

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// entityKinds are the kinds of entities, by their names in filters, in the
// order of lists of all kinds.
var entityKinds = []struct {
	filter types.EntityType
	kind   store.Entity
}{{types.EntityTypeUser, store.UserEntity}, {types.EntityTypeGroup, store.GroupEntity},
	{types.EntityTypeRole, store.RoleEntity}}

// policyEntity is an entity that uses a policy, with its kind.
type policyEntity struct {
	kind store.Entity
	store.PolicyEntity
}

// key returns the key for continuing after an entity: the kind's place in the
// list and the name.
func (e policyEntity) key() string {
	for i, k := range entityKinds {
		if k.kind == e.kind {
			return string(rune('0'+i)) + e.NameKey
		}
	}
	return ""
}

// ListEntitiesForPolicy lists the entities that have a policy attached or use
// it as a boundary. Without PolicyUsageFilter both uses count, and an entity
// with both is listed once. An EntityFilter with a kind of policy finds nothing
// (recorded).
func (s *Service) ListEntitiesForPolicy(
	ctx context.Context, in *iam.ListEntitiesForPolicyInput,
) (*iam.ListEntitiesForPolicyOutput, error) {
	c := principal.Of(ctx)
	if err := checkPolicyARN(*in.PolicyArn); err != nil {
		return nil, err
	}
	filter := strings.Join([]string{*in.PolicyArn, string(in.EntityFilter), pathOrRoot(in.PathPrefix),
		string(in.PolicyUsageFilter)}, "\x00")
	p, err := s.page(c, "ListEntitiesForPolicy", filter, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var entities []policyEntity
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if _, err := findPolicy(tx, c, *in.PolicyArn); err != nil {
			return policyAttachable(err, *in.PolicyArn)
		}
		entities, err = entitiesOf(tx, c.Account(), in, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListEntitiesForPolicyOutput{PolicyUsers: []types.PolicyUser{}, PolicyGroups: []types.PolicyGroup{},
		PolicyRoles: []types.PolicyRole{}}
	entities, out.IsTruncated, out.Marker = cut(p, entities, policyEntity.key)
	for _, e := range entities {
		switch e.kind {
		case store.UserEntity:
			out.PolicyUsers = append(out.PolicyUsers, types.PolicyUser{UserName: &e.Name, UserId: &e.ID})
		case store.GroupEntity:
			out.PolicyGroups = append(out.PolicyGroups, types.PolicyGroup{GroupName: &e.Name, GroupId: &e.ID})
		case store.RoleEntity:
			out.PolicyRoles = append(out.PolicyRoles, types.PolicyRole{RoleName: &e.Name, RoleId: &e.ID})
		}
	}
	return out, nil
}

// entitiesOf reads one entity more than a page holds.
func entitiesOf(tx *store.Tx, account string, in *iam.ListEntitiesForPolicyInput, p page) ([]policyEntity, error) {
	use := store.Use{
		Attached: in.PolicyUsageFilter != types.PolicyUsageTypePermissionsBoundary,
		Boundary: in.PolicyUsageFilter != types.PolicyUsageTypePermissionsPolicy,
	}
	var all []policyEntity
	for i, k := range entityKinds {
		place := string(rune('0' + i))
		if in.EntityFilter != "" && in.EntityFilter != k.filter || p.after != "" && p.after[:1] > place {
			continue
		}
		after := ""
		if strings.HasPrefix(p.after, place) {
			after = p.after[1:]
		}
		some, err := tx.PolicyEntities(k.kind, use, account, *in.PolicyArn, after,
			pathOrRoot(in.PathPrefix), p.limit+1-len(all))
		if err != nil {
			return nil, err
		}
		for _, e := range some {
			all = append(all, policyEntity{k.kind, e})
		}
		if len(all) > p.limit {
			break
		}
	}
	return all, nil
}

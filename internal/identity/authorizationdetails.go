package identity

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// authorizationDetail is one item of the list that
// GetAccountAuthorizationDetails returns. Only items that are part of the page
// are filled in.
type authorizationDetail struct {
	key  string // the position to continue from: the kind's place and the item's own key
	fill func(tx *store.Tx, out *iam.GetAccountAuthorizationDetailsOutput) error
}

// The places of the kinds in the list. Pages follow this order (recorded),
// which differs from the order of the parts of an answer.
const usersPlace, rolesPlace, groupsPlace, policiesPlace = "0", "1", "2", "3"

// detailQuery holds the query of a call.
type detailQuery struct {
	c      principal.Caller
	filter []types.EntityType // empty for all
	after  string
	limit  int // how many more items are wanted
}

func (q detailQuery) wants(kind types.EntityType) bool {
	return len(q.filter) == 0 || slices.Contains(q.filter, kind)
}

// within returns the position at which a kind's list continues. ok is false if
// earlier pages contained the whole list.
func (q detailQuery) within(place string) (after string, ok bool) {
	if rest, found := strings.CutPrefix(q.after, place); found {
		return rest, true
	}
	return "", q.after < place
}

// wantsPlace says whether the query asks for any of the kinds at a place.
func (q detailQuery) wantsPlace(place string) bool {
	switch place {
	case usersPlace:
		return q.wants(types.EntityTypeUser)
	case rolesPlace:
		return q.wants(types.EntityTypeRole)
	case groupsPlace:
		return q.wants(types.EntityTypeGroup)
	case policiesPlace:
		return q.wants(types.EntityTypeLocalManagedPolicy) || q.wants(types.EntityTypeAWSManagedPolicy)
	}
	return false
}

// kinds returns one letter for the set of requested kinds, whatever their order
// and repetitions.
func (q detailQuery) kinds() string {
	letter := 'A'
	for i, kind := range types.EntityType("").Values() {
		if q.wants(kind) {
			letter += 1 << i
		}
	}
	return string(letter)
}

// errMarkerOrFilter is recorded for an invalid marker, and for a marker at a
// kind that the filter excludes.
func errMarkerOrFilter() error { return fail("ValidationError", "Marker and Filter do not match") }

// detailPage reads Marker and MaxItems. A marker that was created for another
// filter is invalid, even if both filters contain the kind at which it
// continues (recorded).
func (s *Service) detailPage(q detailQuery, in *iam.GetAccountAuthorizationDetailsInput) (page, error) {
	p, err := s.page(q.c, "GetAccountAuthorizationDetails", "", in.Marker, in.MaxItems)
	if err != nil {
		return p, errMarkerOrFilter() // page returns no other error
	}
	p.of = q.kinds()
	if in.Marker == nil {
		return p, nil
	}
	if len(p.after) < 2 || !q.wantsPlace(p.after[1:2]) {
		return p, errMarkerOrFilter()
	}
	var same bool
	if p.after, same = strings.CutPrefix(p.after, p.of); !same {
		return p, errMarker()
	}
	return p, nil
}

// GetAccountAuthorizationDetails lists users, roles, groups and managed policies, with
// all policies of each. It lists only those of AWS's policies that are in use, but all
// of the account's own (recorded).
func (s *Service) GetAccountAuthorizationDetails(
	ctx context.Context, in *iam.GetAccountAuthorizationDetailsInput,
) (*iam.GetAccountAuthorizationDetailsOutput, error) {
	c := principal.Of(ctx)
	q := detailQuery{c: c, filter: in.Filter}
	p, err := s.detailPage(q, in)
	if err != nil {
		return nil, err
	}
	q.after = p.after
	out := &iam.GetAccountAuthorizationDetailsOutput{
		UserDetailList: []types.UserDetail{}, GroupDetailList: []types.GroupDetail{},
		RoleDetailList: []types.RoleDetail{},
		Policies:       []types.ManagedPolicyDetail{},
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		var all []authorizationDetail
		for _, read := range []func(*store.Tx, detailQuery) ([]authorizationDetail, error){userDetails, roleDetails,
			groupDetails, policyDetails} {
			q.limit = p.limit + 1 - len(all)
			some, err := read(tx, q)
			if err != nil {
				return err
			}
			all = append(all, some...)
		}
		all, out.IsTruncated, out.Marker = cut(p, all, func(d authorizationDetail) string { return d.key })
		size := detailSize{}
		for i, d := range all {
			if i > 0 && size.bytes > answerBytes {
				out.IsTruncated, out.Marker = true, p.marker(all[i-1].key)
				break
			}
			if err := errors.Join(ctx.Err(), d.fill(tx, out)); err != nil {
				return err
			}
			size.add(out)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// detailSize counts the size of an answer as it grows.
type detailSize struct{ users, groups, roles, policies, bytes int }

func (s *detailSize) add(out *iam.GetAccountAuthorizationDetailsOutput) {
	for _, more := range []any{out.UserDetailList[s.users:], out.GroupDetailList[s.groups:],
		out.RoleDetailList[s.roles:], out.Policies[s.policies:]} {
		s.bytes += answerLength(reflect.ValueOf(more))
	}
	s.users, s.groups, s.roles, s.policies = len(out.UserDetailList), len(out.GroupDetailList),
		len(out.RoleDetailList), len(out.Policies)
}

func userDetails(tx *store.Tx, q detailQuery) ([]authorizationDetail, error) {
	after, ok := q.within(usersPlace)
	if !ok || !q.wants(types.EntityTypeUser) {
		return nil, nil
	}
	users, err := tx.Users(q.c.Account(), after, "/", q.limit)
	details := make([]authorizationDetail, len(users))
	for i, u := range users {
		details[i] = authorizationDetail{usersPlace + u.NameKey,
			func(tx *store.Tx, out *iam.GetAccountAuthorizationDetailsOutput) error {
				detail, err := userDetail(tx, q.c, u)
				out.UserDetailList = append(out.UserDetailList, detail)
				return err
			}}
	}
	return details, err
}

func userDetail(tx *store.Tx, c principal.Caller, u store.User) (types.UserDetail, error) {
	d := types.UserDetail{UserName: &u.Name, UserId: &u.ID, Arn: ptr(arn(c, u)), Path: &u.Path,
		CreateDate: when(u.Created), GroupList: []string{}}
	var err error
	if d.AttachedManagedPolicies, err = attached(tx, store.UserEntity, u.Account, u.NameKey); err != nil {
		return d, err
	}
	if d.UserPolicyList, err = policyDetailsOf(tx, store.UserEntity, u.Account, u.NameKey); err != nil {
		return d, err
	}
	if len(d.UserPolicyList) == 0 {
		d.UserPolicyList = nil // recorded: omitted, unlike the lists of groups and roles
	}
	groups, err := tx.GroupsOfUser(u.Account, u.NameKey, "", allGroups)
	if err != nil {
		return d, err
	}
	for _, g := range groups {
		d.GroupList = append(d.GroupList, g.Name)
	}
	boundary, err := tx.Boundary(store.UserEntity, u.Account, u.NameKey)
	if err != nil {
		return d, err
	}
	d.PermissionsBoundary = boundaryOut(boundary)
	tags, err := tx.Tags(store.UserTags, u.Account, u.NameKey, maxTags)
	d.Tags = append([]types.Tag{}, tagsOut(tags)...)
	return d, err
}

// allGroups is more groups than an account can have. The operator's quota
// bounds the groups of a user.
const allGroups = 1 << 20

func groupDetails(tx *store.Tx, q detailQuery) ([]authorizationDetail, error) {
	after, ok := q.within(groupsPlace)
	if !ok || !q.wants(types.EntityTypeGroup) {
		return nil, nil
	}
	groups, err := tx.Groups(q.c.Account(), after, "/", q.limit)
	details := make([]authorizationDetail, len(groups))
	for i, g := range groups {
		details[i] = authorizationDetail{groupsPlace + g.NameKey,
			func(tx *store.Tx, out *iam.GetAccountAuthorizationDetailsOutput) error {
				d := types.GroupDetail{GroupName: &g.Name, GroupId: &g.ID, Arn: ptr(groupARN(q.c, g)), Path: &g.Path,
					CreateDate: when(g.Created)}
				var err error
				if d.AttachedManagedPolicies, err = attached(tx, store.GroupEntity, g.Account, g.NameKey); err != nil {
					return err
				}
				d.GroupPolicyList, err = policyDetailsOf(tx, store.GroupEntity, g.Account, g.NameKey)
				out.GroupDetailList = append(out.GroupDetailList, d)
				return err
			}}
	}
	return details, err
}

func roleDetails(tx *store.Tx, q detailQuery) ([]authorizationDetail, error) {
	after, ok := q.within(rolesPlace)
	if !ok || !q.wants(types.EntityTypeRole) {
		return nil, nil
	}
	roles, err := tx.Roles(q.c.Account(), after, "/", q.limit)
	details := make([]authorizationDetail, len(roles))
	for i, r := range roles {
		details[i] = authorizationDetail{rolesPlace + r.NameKey,
			func(tx *store.Tx, out *iam.GetAccountAuthorizationDetailsOutput) error {
				detail, err := roleDetail(tx, q.c, r)
				out.RoleDetailList = append(out.RoleDetailList, detail)
				return err
			}}
	}
	return details, err
}

func roleDetail(tx *store.Tx, c principal.Caller, r store.Role) (types.RoleDetail, error) {
	var err error
	if r.TrustPolicy, err = trustOut(tx, r.Trust, map[string]string{}); err != nil {
		return types.RoleDetail{}, err
	}
	role := roleOut(c, r)
	d := types.RoleDetail{
		RoleName: role.RoleName, RoleId: role.RoleId, Arn: role.Arn, Path: role.Path, CreateDate: role.CreateDate,
		AssumeRolePolicyDocument: role.AssumeRolePolicyDocument,
	}
	if d.AttachedManagedPolicies, err = attached(tx, store.RoleEntity, r.Account, r.NameKey); err != nil {
		return d, err
	}
	if d.RolePolicyList, err = policyDetailsOf(tx, store.RoleEntity, r.Account, r.NameKey); err != nil {
		return d, err
	}
	profiles, err := tx.RoleInstanceProfiles(r.Account, r.NameKey, "", allGroups)
	if err != nil {
		return d, err
	}
	if d.InstanceProfileList, err = profilesOut(tx, c, profiles); err != nil {
		return d, err
	}
	boundary, err := tx.Boundary(store.RoleEntity, r.Account, r.NameKey)
	if err != nil {
		return d, err
	}
	d.PermissionsBoundary = boundaryOut(boundary)
	if d.RoleLastUsed, err = roleLastUsed(tx, r); err != nil {
		return d, err
	}
	tags, err := tx.Tags(store.RoleTags, r.Account, r.NameKey, maxTags)
	d.Tags = append([]types.Tag{}, tagsOut(tags)...)
	return d, err
}

// policyDetailsOf returns the inline policies of an entity with their
// documents.
func policyDetailsOf(tx *store.Tx, of store.Entity, account, nameKey string) ([]types.PolicyDetail, error) {
	policies, err := tx.InlinePolicies(of, account, nameKey)
	details := make([]types.PolicyDetail, len(policies))
	for i, p := range policies {
		details[i] = types.PolicyDetail{PolicyName: &p.Name, PolicyDocument: documentOut(p.Document)}
	}
	return details, err
}

func policyDetails(tx *store.Tx, q detailQuery) ([]authorizationDetail, error) {
	after, ok := q.within(policiesPlace)
	own, aws := q.wants(types.EntityTypeLocalManagedPolicy), q.wants(types.EntityTypeAWSManagedPolicy)
	if !ok || !own && !aws {
		return nil, nil
	}
	list := policyQuery{own: own, aws: aws, prefix: "/", wanted: func(p store.Policy, u store.PolicyUse) bool {
		return p.Account != "" || u.Attachments+u.Boundaries > 0
	}}
	policies, err := list.policies(tx, q.c, after, q.limit)
	details := make([]authorizationDetail, len(policies))
	for i, p := range policies {
		details[i] = authorizationDetail{policiesPlace + p.key(),
			func(tx *store.Tx, out *iam.GetAccountAuthorizationDetailsOutput) error {
				detail, err := managedDetail(tx, p)
				out.Policies = append(out.Policies, detail)
				return err
			}}
	}
	return details, err
}

func managedDetail(tx *store.Tx, p usedPolicy) (types.ManagedPolicyDetail, error) {
	policy := policyOut(p.Policy, p.use)
	d := types.ManagedPolicyDetail{
		PolicyName: policy.PolicyName, PolicyId: policy.PolicyId, Arn: policy.Arn, Path: policy.Path,
		DefaultVersionId: policy.DefaultVersionId,
		AttachmentCount:  policy.AttachmentCount, PermissionsBoundaryUsageCount: policy.PermissionsBoundaryUsageCount,
		IsAttachable: policy.IsAttachable, CreateDate: policy.CreateDate, UpdateDate: policy.UpdateDate,
	}
	versions, err := policyVersions(tx, p.Policy)
	for _, v := range versions {
		version := versionOut(p.Policy, v)
		version.Document = documentOut(v.Document)
		d.PolicyVersionList = append(d.PolicyVersionList, version)
	}
	return d, err
}

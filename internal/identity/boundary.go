package identity

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/api"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// setBoundary gives a user or a role a managed policy as its permissions
// boundary, of the account or of AWS. The text is recorded for
// PutRolePermissionsBoundary.
func setBoundary(tx *store.Tx, c principal.Caller, of store.Entity, nameKey, arn string) error {
	if err := checkPolicyARN(arn); err != nil {
		return err
	}
	p, err := findPolicy(tx, c, arn)
	if errors.Is(err, store.ErrNotFound) || err == nil && p.Account == "" && strings.HasPrefix(p.Path, servicePath) {
		return fail("NoSuchEntity", "Scope ARN: %s does not exist or is not attachable.", arn)
	}
	if err != nil {
		return err
	}
	return tx.SetBoundary(of, c.Account(), nameKey, arn)
}

// boundary is the condition key of a request that sets a permissions boundary:
// the one that it gives, not the one that was there.
var boundary = api.Member("iam:PermissionsBoundary", "PermissionsBoundary")

// boundaryOut is a permissions boundary on the wire, nil for none. The type is
// what AWS answers; the model's PermissionsBoundaryPolicy is not.
func boundaryOut(arn string) *types.AttachedPermissionsBoundary {
	if arn == "" {
		return nil
	}
	return &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: &arn, PermissionsBoundaryType: "Policy"}
}

func (s *Service) putBoundary(ctx context.Context, kind store.Entity, name, arn string) error {
	c := principal.Of(ctx)
	return s.updateEntity(ctx, kind, c.Account(), name, func(tx *store.Tx, e entity) error {
		return setBoundary(tx, c, kind, e.nameKey, arn)
	})
}

// deleteBoundary takes the boundary away. That it is an error where there is
// none is recorded, its text is a guess.
func (s *Service) deleteBoundary(ctx context.Context, kind store.Entity, name string) error {
	return s.updateEntity(ctx, kind, principal.Of(ctx).Account(), name, func(tx *store.Tx, e entity) error {
		err := tx.DeleteBoundary(kind, e.account, e.nameKey)
		if errors.Is(err, store.ErrNotFound) {
			err = fail("NoSuchEntity", "The %s with name %s does not have a permissions boundary.", kind, e.name)
		}
		return err
	})
}

// PutUserPermissionsBoundary bounds what a user's policies may allow.
func (s *Service) PutUserPermissionsBoundary(
	ctx context.Context, in *iam.PutUserPermissionsBoundaryInput,
) (*iam.PutUserPermissionsBoundaryOutput, error) {
	return &iam.PutUserPermissionsBoundaryOutput{}, s.putBoundary(ctx, store.UserEntity,
		*in.UserName, *in.PermissionsBoundary)
}

// DeleteUserPermissionsBoundary takes the bounds of a user away.
func (s *Service) DeleteUserPermissionsBoundary(
	ctx context.Context, in *iam.DeleteUserPermissionsBoundaryInput,
) (*iam.DeleteUserPermissionsBoundaryOutput, error) {
	return &iam.DeleteUserPermissionsBoundaryOutput{}, s.deleteBoundary(ctx, store.UserEntity, *in.UserName)
}

// PutRolePermissionsBoundary bounds what a role's policies may allow.
func (s *Service) PutRolePermissionsBoundary(
	ctx context.Context, in *iam.PutRolePermissionsBoundaryInput,
) (*iam.PutRolePermissionsBoundaryOutput, error) {
	return &iam.PutRolePermissionsBoundaryOutput{}, s.putBoundary(ctx, store.RoleEntity,
		*in.RoleName, *in.PermissionsBoundary)
}

// DeleteRolePermissionsBoundary takes the bounds of a role away.
func (s *Service) DeleteRolePermissionsBoundary(
	ctx context.Context, in *iam.DeleteRolePermissionsBoundaryInput,
) (*iam.DeleteRolePermissionsBoundaryOutput, error) {
	return &iam.DeleteRolePermissionsBoundaryOutput{}, s.deleteBoundary(ctx, store.RoleEntity, *in.RoleName)
}

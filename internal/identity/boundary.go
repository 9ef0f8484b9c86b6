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

// setBoundary sets a managed policy, of the account or of AWS, as the
// permissions boundary of a user or a role. The text is recorded for
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

// boundary is the condition key of a request that sets a permissions boundary.
// Its value is the new boundary, not the present one.
var boundary = api.Member("iam:PermissionsBoundary", "PermissionsBoundary")

// boundaryOut returns a permissions boundary for an answer, nil for none. The
// type is the one that AWS returns, which differs from the model's
// PermissionsBoundaryPolicy.
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

// deleteBoundary removes the boundary. That a missing boundary is an error is
// recorded. Its text is a guess.
func (s *Service) deleteBoundary(ctx context.Context, kind store.Entity, name string) error {
	return s.updateEntity(ctx, kind, principal.Of(ctx).Account(), name, func(tx *store.Tx, e entity) error {
		err := tx.DeleteBoundary(kind, e.account, e.nameKey)
		if errors.Is(err, store.ErrNotFound) {
			err = fail("NoSuchEntity", "The %s with name %s does not have a permissions boundary.", kind, e.name)
		}
		return err
	})
}

// PutUserPermissionsBoundary limits what a user's policies may allow.
func (s *Service) PutUserPermissionsBoundary(
	ctx context.Context, in *iam.PutUserPermissionsBoundaryInput,
) (*iam.PutUserPermissionsBoundaryOutput, error) {
	return &iam.PutUserPermissionsBoundaryOutput{}, s.putBoundary(ctx, store.UserEntity,
		*in.UserName, *in.PermissionsBoundary)
}

// DeleteUserPermissionsBoundary removes the permissions boundary of a user.
func (s *Service) DeleteUserPermissionsBoundary(
	ctx context.Context, in *iam.DeleteUserPermissionsBoundaryInput,
) (*iam.DeleteUserPermissionsBoundaryOutput, error) {
	return &iam.DeleteUserPermissionsBoundaryOutput{}, s.deleteBoundary(ctx, store.UserEntity, *in.UserName)
}

// PutRolePermissionsBoundary limits what a role's policies may allow.
func (s *Service) PutRolePermissionsBoundary(
	ctx context.Context, in *iam.PutRolePermissionsBoundaryInput,
) (*iam.PutRolePermissionsBoundaryOutput, error) {
	return &iam.PutRolePermissionsBoundaryOutput{}, s.putBoundary(ctx, store.RoleEntity,
		*in.RoleName, *in.PermissionsBoundary)
}

// DeleteRolePermissionsBoundary removes the permissions boundary of a role.
func (s *Service) DeleteRolePermissionsBoundary(
	ctx context.Context, in *iam.DeleteRolePermissionsBoundaryInput,
) (*iam.DeleteRolePermissionsBoundaryOutput, error) {
	return &iam.DeleteRolePermissionsBoundaryOutput{}, s.deleteBoundary(ctx, store.RoleEntity, *in.RoleName)
}

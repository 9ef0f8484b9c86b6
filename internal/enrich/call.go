package enrich

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// The types here are calls that the SDK's paginators take as clients. The SDK's client
// itself has all actions of IAM, of which the linker keeps those whose names something
// in the program calls through any interface.

// call is one method of the SDK's client.
type call[In, Out any] func(context.Context, *In, ...func(*iam.Options)) (*Out, error)

type (
	usersCall          call[iam.ListUsersInput, iam.ListUsersOutput]
	keysCall           call[iam.ListAccessKeysInput, iam.ListAccessKeysOutput]
	devicesCall        call[iam.ListMFADevicesInput, iam.ListMFADevicesOutput]
	virtualDevicesCall call[iam.ListVirtualMFADevicesInput, iam.ListVirtualMFADevicesOutput]
	tagsCall           call[iam.ListUserTagsInput, iam.ListUserTagsOutput]
	sshKeysCall        call[iam.ListSSHPublicKeysInput, iam.ListSSHPublicKeysOutput]
)

func (f usersCall) ListUsers(
	ctx context.Context, in *iam.ListUsersInput, options ...func(*iam.Options),
) (*iam.ListUsersOutput, error) {
	return f(ctx, in, options...)
}

func (f keysCall) ListAccessKeys(
	ctx context.Context, in *iam.ListAccessKeysInput, options ...func(*iam.Options),
) (*iam.ListAccessKeysOutput, error) {
	return f(ctx, in, options...)
}

func (f devicesCall) ListMFADevices(
	ctx context.Context, in *iam.ListMFADevicesInput, options ...func(*iam.Options),
) (*iam.ListMFADevicesOutput, error) {
	return f(ctx, in, options...)
}

func (f virtualDevicesCall) ListVirtualMFADevices(
	ctx context.Context, in *iam.ListVirtualMFADevicesInput, options ...func(*iam.Options),
) (*iam.ListVirtualMFADevicesOutput, error) {
	return f(ctx, in, options...)
}

func (f tagsCall) ListUserTags(
	ctx context.Context, in *iam.ListUserTagsInput, options ...func(*iam.Options),
) (*iam.ListUserTagsOutput, error) {
	return f(ctx, in, options...)
}

func (f sshKeysCall) ListSSHPublicKeys(
	ctx context.Context, in *iam.ListSSHPublicKeysInput, options ...func(*iam.Options),
) (*iam.ListSSHPublicKeysOutput, error) {
	return f(ctx, in, options...)
}

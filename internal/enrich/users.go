package enrich

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/audit"
)

// largestPage is the largest number of users in an answer. AWS IAM, ListUsers.
const largestPage = 1000

// list lists the users of the account.
func (r *reader) list(ctx context.Context) ([]types.User, error) {
	var all []types.User
	in := &iam.ListUsersInput{MaxItems: aws.Int32(largestPage)}
	for p := iam.NewListUsersPaginator(usersCall(r.c.ListUsers), in); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		if err := whole(page.IsTruncated, page.Marker); err != nil {
			return nil, err
		}
		for i := range page.Users {
			if u := &page.Users[i]; aws.ToString(u.UserName) == "" || u.CreateDate == nil {
				return nil, fmt.Errorf("%w: a user without a name or without CreateDate", errNotWhole)
			}
		}
		all = append(all, page.Users...)
	}
	return all, nil
}

// read reads facts of a kind about a user.
func (r *reader) read(ctx context.Context, k Kind, name *string, facts *audit.UserFacts) error {
	switch k {
	case Keys:
		return r.keys(ctx, name, facts)
	case MFA:
		return r.mfa(ctx, name, facts)
	case Tags:
		return r.tags(ctx, name, facts)
	default:
		return r.serviceCredentials(ctx, name, facts)
	}
}

func (r *reader) keys(ctx context.Context, name *string, facts *audit.UserFacts) error {
	keys := []audit.KeyFact{}
	in := &iam.ListAccessKeysInput{UserName: name}
	for p := iam.NewListAccessKeysPaginator(keysCall(r.c.ListAccessKeys), in); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			return err
		}
		if err := whole(page.IsTruncated, page.Marker); err != nil {
			return err
		}
		for _, k := range page.AccessKeyMetadata {
			if aws.ToString(k.AccessKeyId) == "" || k.CreateDate == nil || k.Status == "" {
				return fmt.Errorf("%w: an access key without id, CreateDate or Status", errNotWhole)
			}
			keys = append(keys,
				audit.KeyFact{ID: aws.ToString(k.AccessKeyId), Created: seconds(k.CreateDate),
					Active: k.Status == types.StatusTypeActive})
		}
	}
	facts.Keys = keys
	return nil
}

func (r *reader) mfa(ctx context.Context, name *string, facts *audit.UserFacts) error {
	devices := []audit.MFAFact{}
	in := &iam.ListMFADevicesInput{UserName: name}
	for p := iam.NewListMFADevicesPaginator(devicesCall(r.c.ListMFADevices), in); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			return err
		}
		if err := whole(page.IsTruncated, page.Marker); err != nil {
			return err
		}
		for _, d := range page.MFADevices {
			serial := aws.ToString(d.SerialNumber)
			devices = append(devices, audit.MFAFact{Serial: serial, Kind: DeviceKind(serial)})
		}
	}
	facts.MFA = devices
	return nil
}

func (r *reader) tags(ctx context.Context, name *string, facts *audit.UserFacts) error {
	tags := map[string]string{}
	in := &iam.ListUserTagsInput{UserName: name}
	for p := iam.NewListUserTagsPaginator(tagsCall(r.c.ListUserTags), in); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			return err
		}
		if err := whole(page.IsTruncated, page.Marker); err != nil {
			return err
		}
		for _, t := range page.Tags {
			tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
	}
	facts.Tags = tags
	return nil
}

// serviceCredentials reads credentials that the report does not show, by two
// actions. Nothing is known if one of them fails.
func (r *reader) serviceCredentials(ctx context.Context, name *string, facts *audit.UserFacts) error {
	found, err := r.sshKeys(ctx, name)
	if err != nil {
		return err
	}
	for in := (&iam.ListServiceSpecificCredentialsInput{UserName: name}); ; {
		page, err := r.c.ListServiceSpecificCredentials(ctx, in)
		if err != nil {
			return err
		}
		if err := whole(page.IsTruncated, page.Marker); err != nil {
			return err
		}
		for _, c := range page.ServiceSpecificCredentials {
			if c.Status == "" {
				return fmt.Errorf("%w: a service-specific credential without Status", errNotWhole)
			}
			found = append(found, audit.ServiceCredentialFact{
				ID: aws.ToString(c.ServiceSpecificCredentialId), Service: aws.ToString(c.ServiceName),
				Created: seconds(c.CreateDate), Active: c.Status == types.StatusTypeActive,
			})
		}
		if !page.IsTruncated {
			facts.ServiceCredentials = found
			return nil
		}
		in.Marker = page.Marker
	}
}

func (r *reader) sshKeys(ctx context.Context, name *string) ([]audit.ServiceCredentialFact, error) {
	found := []audit.ServiceCredentialFact{}
	in := &iam.ListSSHPublicKeysInput{UserName: name}
	for p := iam.NewListSSHPublicKeysPaginator(sshKeysCall(r.c.ListSSHPublicKeys), in); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		if err := whole(page.IsTruncated, page.Marker); err != nil {
			return nil, err
		}
		for _, k := range page.SSHPublicKeys {
			if k.Status == "" {
				return nil, fmt.Errorf("%w: an SSH key without Status", errNotWhole)
			}
			found = append(found, audit.ServiceCredentialFact{
				ID: aws.ToString(k.SSHPublicKeyId), Service: sshService, Created: seconds(k.UploadDate),
				Active: k.Status == types.StatusTypeActive,
			})
		}
	}
	return found, nil
}

func seconds(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Second)
}

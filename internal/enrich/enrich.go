// Package enrich reads facts from the IAM API that a credential report does not
// contain: the ids of access keys, kinds of MFA devices, credentials of other
// kinds, and tags.
//
// It calls only the actions that Kind.Permissions names. They only read, and
// return no secrets. It fills audit.Enrichment. Package audit matches the facts
// to the rows of a report by name and creation time, and judges them.
package enrich

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/audit"
)

// Kind is a kind of facts.
type Kind string

// The kinds.
const (
	Keys               Kind = "keys"                // access key ids and states
	MFA                Kind = "mfa"                 // MFA devices of users, and whether root's is virtual
	Tags               Kind = "tags"                // tags of users
	ServiceCredentials Kind = "service-credentials" // SSH keys and service-specific credentials
)

// Kinds contains all kinds.
var Kinds = []Kind{Keys, MFA, Tags, ServiceCredentials}

// Permissions returns the IAM actions that a kind needs.
func (k Kind) Permissions() []string {
	switch k {
	case Keys:
		return []string{"iam:ListUsers", "iam:ListAccessKeys"}
	case MFA:
		return []string{"iam:ListUsers", "iam:ListMFADevices", "iam:ListVirtualMFADevices"}
	case Tags:
		return []string{"iam:ListUsers", "iam:ListUserTags"}
	case ServiceCredentials:
		return []string{"iam:ListUsers", "iam:ListSSHPublicKeys", "iam:ListServiceSpecificCredentials"}
	default:
		return nil
	}
}

// Parse reads kinds separated by commas.
func Parse(s string) ([]Kind, error) {
	var kinds []Kind
	for part := range strings.SplitSeq(s, ",") {
		k := Kind(strings.TrimSpace(part))
		if !slices.Contains(Kinds, k) {
			return nil, fmt.Errorf("%q is not one of %s", part, names())
		}
		if !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	return kinds, nil
}

func names() string {
	var all []string
	for _, k := range Kinds {
		all = append(all, string(k))
	}
	return strings.Join(all, ", ")
}

// DefaultConcurrency is the default number of users whose facts are read at
// once. IAM allows some tens of calls per second for all callers of an account
// together, and the SDK slows down if it is throttled.
const DefaultConcurrency = 8

// attempts is the maximum number of tries for a call. With thousands of calls,
// some will be throttled.
const attempts = 10

// reader reads the facts of an account.
type reader struct {
	c     *iam.Client
	kinds []Kind
	limit int // limits the users whose facts are read at once
	mu    sync.Mutex
	users map[string]audit.UserFacts
}

// Read reads facts of the given kinds about every user. It calls once for each
// user and kind, twice for service credentials. concurrency limits the users
// that are read at once. The first error ends it, because incomplete facts are
// useless.
func Read(ctx context.Context, c *iam.Client, kinds []Kind, concurrency int) (*audit.Enrichment, error) {
	r := &reader{c: c, kinds: kinds, limit: max(1, concurrency), users: map[string]audit.UserFacts{}}
	out := &audit.Enrichment{}
	users, err := r.list(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.each(ctx, users); err != nil {
		return nil, err
	}
	if r.wants(MFA) {
		if out.RootVirtualMFA, err = r.rootVirtualMFA(ctx); err != nil {
			return nil, err
		}
	}
	out.Users = r.users
	return out, nil
}

func (r *reader) wants(k Kind) bool { return slices.Contains(r.kinds, k) }

// patient makes a client retry more often.
func patient(o *iam.Options) {
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = attempts })
}

func (r *reader) list(ctx context.Context) ([]types.User, error) {
	var all []types.User
	for p := iam.NewListUsersPaginator(usersCall(r.c.ListUsers), &iam.ListUsersInput{}); p.HasMorePages(); {
		page, err := p.NextPage(ctx, patient)
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

// each reads the facts of the users, several users at once.
func (r *reader) each(ctx context.Context, users []types.User) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	todo := make(chan types.User)
	var all sync.WaitGroup
	for range min(r.limit, len(users)) {
		all.Go(func() {
			for u := range todo {
				if err := r.user(ctx, u); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, u := range users {
		select {
		case todo <- u:
		case <-ctx.Done():
		}
	}
	close(todo)
	all.Wait()
	return context.Cause(ctx)
}

func (r *reader) user(ctx context.Context, u types.User) error {
	name := u.UserName
	facts := audit.UserFacts{Created: seconds(u.CreateDate), UserID: aws.ToString(u.UserId)}
	for kind, read := range map[Kind]func(context.Context, *string, *audit.UserFacts) error{
		Keys: r.keys, MFA: r.mfa, Tags: r.tags, ServiceCredentials: r.serviceCredentials,
	} {
		if !r.wants(kind) {
			continue
		}
		if err := read(ctx, name, &facts); err != nil {
			if gone(err) { // deleted since the users were listed
				return nil
			}
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users[aws.ToString(name)] = facts
	return nil
}

func (r *reader) keys(ctx context.Context, name *string, facts *audit.UserFacts) error {
	facts.Keys = []audit.KeyFact{}
	in := &iam.ListAccessKeysInput{UserName: name}
	for p := iam.NewListAccessKeysPaginator(keysCall(r.c.ListAccessKeys), in); p.HasMorePages(); {
		page, err := p.NextPage(ctx, patient)
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
			facts.Keys = append(facts.Keys,
				audit.KeyFact{ID: aws.ToString(k.AccessKeyId), Created: seconds(k.CreateDate),
					Active: k.Status == types.StatusTypeActive})
		}
	}
	return nil
}

func (r *reader) mfa(ctx context.Context, name *string, facts *audit.UserFacts) error {
	facts.MFA = []audit.MFAFact{}
	in := &iam.ListMFADevicesInput{UserName: name}
	for p := iam.NewListMFADevicesPaginator(devicesCall(r.c.ListMFADevices), in); p.HasMorePages(); {
		page, err := p.NextPage(ctx, patient)
		if err != nil {
			return err
		}
		if err := whole(page.IsTruncated, page.Marker); err != nil {
			return err
		}
		for _, d := range page.MFADevices {
			serial := aws.ToString(d.SerialNumber)
			facts.MFA = append(facts.MFA, audit.MFAFact{Serial: serial, Kind: deviceKind(serial)})
		}
	}
	return nil
}

const virtual = "virtual"

// deviceKind returns the kind of a device by its serial number. AWS gives ARNs
// to virtual devices, passkeys and security keys. A hardware device has the
// number that is printed on it.
func deviceKind(serial string) string {
	parts := strings.SplitN(serial, ":", 6)
	switch {
	case !strings.HasPrefix(serial, "arn:") && serial != "":
		return "hardware"
	case len(parts) == 6 && strings.HasPrefix(parts[5], "mfa/"):
		return virtual
	case len(parts) == 6 && strings.HasPrefix(parts[5], "u2f/"):
		return "passkey"
	default:
		return "unknown"
	}
}

// rootDevice ends the serial number of the virtual device that AWS creates for
// root if it has no name.
const rootDevice = ":mfa/root-account-mfa-device"

// rootVirtualMFA says whether a virtual device belongs to root. A negative answer
// requires a complete list: every device has an owner, and the list contains all
// known devices of users.
func (r *reader) rootVirtualMFA(ctx context.Context) (audit.Known, error) {
	answer := audit.No
	listed := map[string]bool{}
	in := &iam.ListVirtualMFADevicesInput{AssignmentStatus: types.AssignmentStatusTypeAssigned}
	for p := iam.NewListVirtualMFADevicesPaginator(virtualDevicesCall(r.c.ListVirtualMFADevices), in); p.HasMorePages(); {
		page, err := p.NextPage(ctx, patient)
		if err != nil {
			return audit.Unknown, err
		}
		if err := whole(page.IsTruncated, page.Marker); err != nil {
			return audit.Unknown, err
		}
		for _, d := range page.VirtualMFADevices {
			serial, owner := aws.ToString(d.SerialNumber), ""
			if d.User != nil {
				owner = aws.ToString(d.User.Arn)
			}
			listed[serial] = true
			switch {
			case strings.HasSuffix(serial, rootDevice), strings.HasSuffix(owner, ":root"):
				return audit.Yes, nil
			case owner == "":
				answer = audit.Unknown
			}
		}
	}
	for _, u := range r.users {
		for _, d := range u.MFA {
			if d.Kind == virtual && !listed[d.Serial] {
				answer = audit.Unknown
			}
		}
	}
	return answer, nil
}

func (r *reader) tags(ctx context.Context, name *string, facts *audit.UserFacts) error {
	facts.Tags = map[string]string{}
	in := &iam.ListUserTagsInput{UserName: name}
	for p := iam.NewListUserTagsPaginator(tagsCall(r.c.ListUserTags), in); p.HasMorePages(); {
		page, err := p.NextPage(ctx, patient)
		if err != nil {
			return err
		}
		if err := whole(page.IsTruncated, page.Marker); err != nil {
			return err
		}
		for _, t := range page.Tags {
			facts.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
	}
	return nil
}

func (r *reader) serviceCredentials(ctx context.Context, name *string, facts *audit.UserFacts) error {
	facts.ServiceCredentials = []audit.ServiceCredentialFact{}
	in := &iam.ListSSHPublicKeysInput{UserName: name}
	for p := iam.NewListSSHPublicKeysPaginator(sshKeysCall(r.c.ListSSHPublicKeys), in); p.HasMorePages(); {
		page, err := p.NextPage(ctx, patient)
		if err != nil {
			return err
		}
		if err := whole(page.IsTruncated, page.Marker); err != nil {
			return err
		}
		for _, k := range page.SSHPublicKeys {
			if k.Status == "" {
				return fmt.Errorf("%w: an SSH key without Status", errNotWhole)
			}
			facts.ServiceCredentials = append(facts.ServiceCredentials, audit.ServiceCredentialFact{
				ID: aws.ToString(k.SSHPublicKeyId), Service: "ssh", Created: seconds(k.UploadDate),
				Active: k.Status == types.StatusTypeActive,
			})
		}
	}
	for in := (&iam.ListServiceSpecificCredentialsInput{UserName: name}); ; {
		page, err := r.c.ListServiceSpecificCredentials(ctx, in, patient)
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
			facts.ServiceCredentials = append(facts.ServiceCredentials, audit.ServiceCredentialFact{
				ID: aws.ToString(c.ServiceSpecificCredentialId), Service: aws.ToString(c.ServiceName),
				Created: seconds(c.CreateDate), Active: c.Status == types.StatusTypeActive,
			})
		}
		if !page.IsTruncated {
			return nil
		}
		in.Marker = page.Marker
	}
}

func seconds(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Second)
}

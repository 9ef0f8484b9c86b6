package identity

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// UpdateAssumeRolePolicy replaces a role's trust policy.
func (s *Service) UpdateAssumeRolePolicy(ctx context.Context, in *iam.UpdateAssumeRolePolicyInput) (*iam.UpdateAssumeRolePolicyOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		r, err := modifiableRole(tx, c.Account(), *in.RoleName)
		if err != nil {
			return err
		}
		document, err := newTrustPolicy(tx, r.Account, *in.PolicyDocument)
		if err != nil {
			return err
		}
		return tx.SetTrustPolicy(r.Account, r.NameKey, document)
	})
	return &iam.UpdateAssumeRolePolicyOutput{}, err
}

// newTrustPolicy checks the trust policy of a request and returns it as it is
// stored.
func newTrustPolicy(tx *store.Tx, account, text string) (string, error) {
	d, err := policy.Parse(text, policy.Trust)
	if err != nil {
		return "", err
	}
	if err := checkQuota(tx, account, trustPolicySize, policy.Size(text)); err != nil {
		return "", err
	}
	for _, value := range d.Principals("AWS") {
		if err := checkPrincipal(tx, value); err != nil {
			return "", err
		}
	}
	return text, nil
}

// checkPrincipal refuses a user or a role of an account of this store that is
// not there. Other stores' and AWS's own accounts cannot be asked: they are
// taken as they are, so that policies can be brought over; nobody of them can
// sign a request here.
func checkPrincipal(tx *store.Tx, value string) error {
	account, kind, name, ok := identityARN(value)
	if !ok {
		return nil
	}
	_, err := tx.Account(account)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	end := strings.LastIndexByte(name, '/') + 1
	path, name := "/"+name[:end], name[end:]
	var havePath, haveName string
	if kind == "user" {
		u, failed := tx.User(account, fold(name))
		havePath, haveName, err = u.Path, u.Name, failed
	} else {
		r, failed := tx.Role(account, fold(name))
		havePath, haveName, err = r.Path, r.Name, failed
	}
	if errors.Is(err, store.ErrNotFound) || err == nil && (havePath != path || haveName != name) {
		return policy.InvalidPrincipal("AWS", value)
	}
	return err
}

// identityARN takes the ARN of a user or a role apart: name is with its path,
// without the first slash.
func identityARN(arn string) (account, kind, name string, ok bool) {
	part := strings.SplitN(arn, ":", 6)
	if len(part) != 6 || part[0] != "arn" || part[2] != "iam" {
		return "", "", "", false
	}
	kind, name, ok = strings.Cut(part[5], "/")
	return part[4], kind, name, ok && (kind == "user" || kind == "role") && name != ""
}

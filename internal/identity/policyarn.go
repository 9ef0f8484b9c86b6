package identity

import (
	"errors"
	"strconv"
	"strings"

	"rollcall/internal/managedpolicy"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// checkPolicyARN returns an error unless arn is the ARN of a policy. The first
// text is recorded for AttachUserPolicy and AttachRolePolicy, the second for
// PutRolePermissionsBoundary.
func checkPolicyARN(arn string) error {
	part := strings.SplitN(arn, ":", 6)
	if len(part) != 6 || part[0] != "arn" {
		return fail("ValidationError", "ARN %s is not valid.", arn)
	}
	if !strings.HasPrefix(part[5], "policy/") {
		return fail("InvalidInput", "ARN %s is not valid.", arn)
	}
	return nil
}

// ownPolicyARN is checkPolicyARN for actions that change a policy. It also
// refuses AWS's policies and those of other accounts. what is part of the
// sentence for those.
func ownPolicyARN(c principal.Caller, arn, what string) error {
	if err := checkPolicyARN(arn); err != nil {
		return err
	}
	if strings.SplitN(arn, ":", 6)[4] != c.Account() {
		return fail("AccessDenied", "Cannot %s outside your own account.", what)
	}
	return nil
}

// findPolicy reads a managed policy by its ARN. The policy is the account's own
// or one of AWS's, whose Account is empty. If there is none, the error is
// store.ErrNotFound.
func findPolicy(tx *store.Tx, c principal.Caller, arn string) (store.Policy, error) {
	if !strings.HasPrefix(arn, "arn:"+c.Partition()+":") {
		return store.Policy{}, store.ErrNotFound
	}
	if p := managedpolicy.Find(arn); p != nil {
		return awsPolicy(p, c.Partition()), nil
	}
	return tx.Policy(c.Account(), arn)
}

// findPolicyNamed is findPolicy without a check of the path: actions on last
// access ignore a wrong path (recorded-2026 R2.2).
func findPolicyNamed(tx *store.Tx, c principal.Caller, arn string) (store.Policy, error) {
	part := strings.SplitN(arn, ":", 6)
	name := fold(arn[strings.LastIndexByte(arn, '/')+1:])
	switch {
	case part[1] != c.Partition() || part[2] != "iam":
		return store.Policy{}, store.ErrNotFound
	case part[4] == c.Account():
		return tx.PolicyNamed(c.Account(), name)
	case part[4] == "aws":
		for _, p := range managedpolicy.All(c.Partition()) {
			if fold(p.Name) == name {
				return awsPolicy(p, c.Partition()), nil
			}
		}
	}
	return store.Policy{}, store.ErrNotFound
}

// awsPolicy returns a policy of AWS in the form of the account's own.
func awsPolicy(p *managedpolicy.Policy, partition string) store.Policy {
	version, _ := parseVersion(p.Version)
	return store.Policy{
		NameKey: fold(p.Name), Name: p.Name, Path: p.Path, ARN: p.ARN(partition), ID: p.ID, Description: p.Description,
		Created: p.Created, Updated: p.Updated, DefaultVersion: version, LastVersion: version,
	}
}

// policyFound replaces store.ErrNotFound by the sentence of most actions on
// policies (recorded for DeletePolicy, TagPolicy and DetachUserPolicy).
func policyFound(err error, arn string) error {
	if errors.Is(err, store.ErrNotFound) {
		return fail("NoSuchEntity", "Policy %s was not found.", arn)
	}
	return err
}

// policyAttachable replaces store.ErrNotFound by the sentence of the actions on
// attachments (recorded for AttachUserPolicy and ListEntitiesForPolicy).
func policyAttachable(err error, arn string) error {
	if errors.Is(err, store.ErrNotFound) {
		return fail("NoSuchEntity", "Policy %s does not exist or is not attachable.", arn)
	}
	return err
}

// versionFound replaces store.ErrNotFound by the sentence of the actions on one
// version, even if the policy itself is missing (recorded).
func versionFound(err error, arn, version string) error {
	if errors.Is(err, store.ErrNotFound) {
		return fail("NoSuchEntity", "Policy %s version %s does not exist or is not attachable.", arn, version)
	}
	return err
}

// versionID returns the VersionId of a version: v1.
func versionID(version int) *string { return ptr("v" + strconv.Itoa(version)) }

// parseVersion reads a VersionId. The model accepts some that name no version,
// such as v1.a.
func parseVersion(id string) (version int, ok bool) {
	version, err := strconv.Atoi(strings.TrimPrefix(id, "v"))
	return version, err == nil && *versionID(version) == id
}

// policyName returns the name at the end of a policy's ARN.
func policyName(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

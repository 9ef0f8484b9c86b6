package identity

import (
	"errors"
	"strconv"
	"strings"

	"rollcall/internal/managedpolicy"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// checkPolicyARN refuses what is not the ARN of a policy. The first is recorded
// for AttachUserPolicy and AttachRolePolicy, the second for
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

// ownPolicyARN is checkPolicyARN for the actions that change a policy, which
// AWS's and those of other accounts refuse. what is their sentence's.
func ownPolicyARN(c principal.Caller, arn, what string) error {
	if err := checkPolicyARN(arn); err != nil {
		return err
	}
	if strings.SplitN(arn, ":", 6)[4] != c.Account() {
		return fail("AccessDenied", "Cannot %s outside your own account.", what)
	}
	return nil
}

// findPolicy reads a managed policy by its ARN, the account's own or one of
// AWS's, whose Account is empty. The error is store.ErrNotFound or the
// engine's.
func findPolicy(tx *store.Tx, c principal.Caller, arn string) (store.Policy, error) {
	if !strings.HasPrefix(arn, "arn:"+c.Partition()+":") {
		return store.Policy{}, store.ErrNotFound
	}
	if p := managedpolicy.Find(arn); p != nil {
		return awsPolicy(p, c.Partition()), nil
	}
	return tx.Policy(c.Account(), arn)
}

// findPolicyNamed is findPolicy by the kind and the name of an ARN: a wrong
// path does not matter where last access is asked about (recorded-2026 R2.2).
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

// awsPolicy is a policy of AWS in the shape of the account's own.
func awsPolicy(p *managedpolicy.Policy, partition string) store.Policy {
	version, _ := parseVersion(p.Version)
	return store.Policy{
		NameKey: fold(p.Name), Name: p.Name, Path: p.Path, ARN: p.ARN(partition), ID: p.ID, Description: p.Description,
		Created: p.Created, Updated: p.Updated, DefaultVersion: version, LastVersion: version,
	}
}

// policyFound turns store.ErrNotFound into the sentence of most actions on
// policies (recorded for DeletePolicy, TagPolicy and DetachUserPolicy).
func policyFound(err error, arn string) error {
	if errors.Is(err, store.ErrNotFound) {
		return fail("NoSuchEntity", "Policy %s was not found.", arn)
	}
	return err
}

// policyAttachable turns store.ErrNotFound into the sentence of the actions on
// attachments (recorded for AttachUserPolicy and ListEntitiesForPolicy).
func policyAttachable(err error, arn string) error {
	if errors.Is(err, store.ErrNotFound) {
		return fail("NoSuchEntity", "Policy %s does not exist or is not attachable.", arn)
	}
	return err
}

// versionFound turns store.ErrNotFound into the sentence of the actions on one
// version, also where there is no such policy (recorded).
func versionFound(err error, arn, version string) error {
	if errors.Is(err, store.ErrNotFound) {
		return fail("NoSuchEntity", "Policy %s version %s does not exist or is not attachable.", arn, version)
	}
	return err
}

// versionID is the VersionId of a version: v1.
func versionID(version int) *string { return ptr("v" + strconv.Itoa(version)) }

// parseVersion reads a VersionId. The model lets through what names none, such
// as v1.a.
func parseVersion(id string) (version int, ok bool) {
	version, err := strconv.Atoi(strings.TrimPrefix(id, "v"))
	return version, err == nil && *versionID(version) == id
}

// policyName is the name that a policy's ARN ends in.
func policyName(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

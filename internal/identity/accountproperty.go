package identity

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/api"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// The only property that IAM has: whether role manager creates roles for users.
// Rollcall stores the property and has no role manager.
const (
	roleManagerNamespace = "RoleManager"
	roleManagerEnabled   = roleManagerNamespace + "/Enabled"
	roleManagerService   = "role-manager.iam.amazonaws.com"
)

// propertiesKey is the condition key that contains the namespaces of
// properties. Service authorization reference for IAM.
const propertiesKey = "iam:AccountPropertyNamespaces"

func readNamespaces(*iam.GetAccountPropertiesInput) []string { return []string{roleManagerNamespace} }

func changedNamespaces(in *iam.PutAccountPropertiesInput) []string {
	return namespacesOf(in.Properties)
}

// createRoleManagerRole returns the permission that a caller needs to enable
// role manager, which creates a service-linked role. The permission is required
// even if the role exists (recorded).
func createRoleManagerRole(
	_ context.Context, c principal.Caller, in *iam.PutAccountPropertiesInput,
) ([]api.Need, error) {
	if in.Properties[roleManagerEnabled] != "true" {
		return nil, nil
	}
	linked, _ := findLinkedService(roleManagerService)
	return []api.Need{{
		Action:    "iam:CreateServiceLinkedRole",
		Resources: []api.Resource{{ARN: api.IAMARN(c, "role", linkedRolePath(roleManagerService)+linked.role)}},
		Keys:      oneKey("iam:awsservicename", roleManagerService),
	}}, nil
}

// namespacesOf returns the namespaces of properties, sorted and without
// duplicates.
func namespacesOf(properties map[string]string) []string {
	var all []string
	for key := range properties {
		namespace, _, _ := strings.Cut(key, "/")
		all = append(all, namespace)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// GetAccountProperties reads the properties of the account.
func (s *Service) GetAccountProperties(
	ctx context.Context, _ *iam.GetAccountPropertiesInput,
) (*iam.GetAccountPropertiesOutput, error) {
	c := principal.Of(ctx)
	enabled := ""
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		enabled, err = setting(tx, c.Account(), roleManagerEnabled)
		return err
	})
	if enabled == "" {
		enabled = "false"
	}
	return &iam.GetAccountPropertiesOutput{Properties: map[string]string{roleManagerEnabled: enabled}}, err
}

// PutAccountProperties sets properties of the account, all of one namespace. A
// request that contains a required property may contain unknown ones, which are
// accepted and not stored (recorded). Enabling role manager creates its
// service-linked role.
func (s *Service) PutAccountProperties(
	ctx context.Context, in *iam.PutAccountPropertiesInput,
) (*iam.PutAccountPropertiesOutput, error) {
	c := principal.Of(ctx)
	if err := checkProperties(in.Properties); err != nil {
		return nil, err
	}
	value := in.Properties[roleManagerEnabled]
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		if value == "true" {
			if err := s.ensureLinkedRole(tx, c, roleManagerService); err != nil {
				return err
			}
		}
		return tx.SetSetting(c.Account(), roleManagerEnabled, value)
	})
	if err != nil {
		return nil, err
	}
	return &iam.PutAccountPropertiesOutput{}, nil
}

// checkProperties returns AWS's error for invalid properties (recorded).
func checkProperties(properties map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		if !strings.Contains(key, "/") || strings.HasPrefix(key, "/") || strings.HasSuffix(key, "/") {
			return fail("InvalidInput", "Property key must be in format Namespace/PropertyName: %s", key)
		}
	}
	namespaces := namespacesOf(properties)
	value, there := properties[roleManagerEnabled]
	switch {
	case len(namespaces) == 0:
		return fail("InvalidInput", "At least one property is required.") // a guess: the SDKs cannot send an empty list
	case len(namespaces) > 1:
		return fail("InvalidInput", "All properties must belong to the same namespace")
	case namespaces[0] != roleManagerNamespace:
		return fail("InvalidInput", "Unsupported namespace: %s", namespaces[0])
	case !there:
		return fail("InvalidInput", "RoleManager namespace requires Enabled property")
	case value != "true" && value != "false":
		return fail("InvalidInput", "Enabled must be 'true' or 'false'")
	}
	return nil
}

// ensureLinkedRole creates the service-linked role of a service if it does not
// exist.
func (s *Service) ensureLinkedRole(tx *store.Tx, c principal.Caller, service string) error {
	linked, _ := findLinkedService(service)
	_, err := tx.Role(c.Account(), fold(linked.role))
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	r := newLinkedRole(c, service, linked.role)
	return insertLinkedRole(tx, c, linked, &r)
}

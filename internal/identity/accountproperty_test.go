package identity_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/identity"
	"rollcall/internal/store"
)

func properties(pairs ...string) *iam.PutAccountPropertiesInput {
	in := &iam.PutAccountPropertiesInput{Properties: map[string]string{}}
	for i := 0; i < len(pairs); i += 2 {
		in.Properties[pairs[i]] = pairs[i+1]
	}
	return in
}

func TestAccountProperties(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		is := func(want string) {
			t.Helper()
			got := must(t, w.root, w.GetAccountProperties, &iam.GetAccountPropertiesInput{}).Properties
			if len(got) != 1 || got["RoleManager/Enabled"] != want {
				t.Errorf("%v, want %s", got, want)
			}
		}
		is("false")
		role := &iam.GetRoleInput{RoleName: ptr("AWSServiceRoleForIAMRoleManager")}
		refused(t, w.root, w.GetRole, role, 404, "NoSuchEntity",
			"The role with name AWSServiceRoleForIAMRoleManager cannot be found.")
		must(t, w.root, w.PutAccountProperties, properties("RoleManager/Enabled", "true"))
		is("true")
		made := must(t, w.root, w.GetRole, role).Role
		want := "arn:aws:iam::" + account + ":role/aws-service-role/role-manager.iam.amazonaws.com/" + *role.RoleName
		if *made.Arn != want {
			t.Errorf("%s, want %s", *made.Arn, want)
		}
		has := must(t, w.root, w.ListAttachedRolePolicies, &iam.ListAttachedRolePoliciesInput{RoleName: role.RoleName})
		const policy = "arn:aws:iam::aws:policy/aws-service-role/AWSIAMRoleManagerServiceRolePolicy"
		if p := has.AttachedPolicies; len(p) != 1 || *p[0].PolicyArn != policy {
			t.Errorf("the role has %v", p)
		}
		// The same request again changes nothing. An unknown property beside a
		// known one changes nothing either.
		must(t, w.root, w.PutAccountProperties, properties("RoleManager/Enabled", "true", "RoleManager/Other", "x"))
		is("true")
		if again := must(t, w.root, w.GetRole, role).Role; *again.RoleId != *made.RoleId {
			t.Error("the role was created again")
		}
		must(t, w.root, w.PutAccountProperties, properties("RoleManager/Enabled", "false"))
		is("false")
		must(t, w.root, w.GetRole, role)
	})
}

// AWS gave these answers in September 2026.
func TestAccountPropertiesRefused(t *testing.T) {
	w := newWorld(t, store.Config{Memory: true}, identity.Config{})
	must(t, w.root, w.PutAccountProperties, properties("RoleManager/Enabled", "true"))
	for _, c := range []struct {
		in      *iam.PutAccountPropertiesInput
		message string
	}{
		{properties("RoleManager", "true"), "Property key must be in format Namespace/PropertyName: RoleManager"},
		{properties("RoleManager/", "true"), "Property key must be in format Namespace/PropertyName: RoleManager/"},
		{properties("RoleManager/Enabled", "true", "Other", "true"),
			"Property key must be in format Namespace/PropertyName: Other"},
		{properties("RoleManager/Enabled/x", "true"), "RoleManager namespace requires Enabled property"},
		{properties("RoleManager/Other", "true"), "RoleManager namespace requires Enabled property"},
		{properties("RoleManager/enabled", "true"), "RoleManager namespace requires Enabled property"},
		{properties("Probe/Enabled", "true"), "Unsupported namespace: Probe"},
		{properties("rolemanager/Enabled", "true"), "Unsupported namespace: rolemanager"},
		{properties("RoleManager/Enabled", "true", "Probe/Enabled", "true"),
			"All properties must belong to the same namespace"},
		{properties("RoleManager/Enabled", "False"), "Enabled must be 'true' or 'false'"},
		{properties("RoleManager/Enabled", " false"), "Enabled must be 'true' or 'false'"},
		{properties("RoleManager/Enabled", "0"), "Enabled must be 'true' or 'false'"},
	} {
		refused(t, w.root, w.PutAccountProperties, c.in, 400, "InvalidInput", c.message)
	}
	got := must(t, w.root, w.GetAccountProperties, &iam.GetAccountPropertiesInput{}).Properties
	if got["RoleManager/Enabled"] != "true" {
		t.Errorf("a refused request changed the properties to %v", got)
	}
}

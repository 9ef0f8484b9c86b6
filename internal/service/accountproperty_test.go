package service_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"
)

// Policies distinguish the namespaces of account properties. Enabling role
// manager needs the permission to create its role, even if the role exists.
func TestAccountPropertiesAuthorization(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	put := func(value string) *iam.PutAccountPropertiesInput {
		return &iam.PutAccountPropertiesInput{Properties: map[string]string{"RoleManager/Enabled": value}}
	}
	const properties = `"Effect":"Allow","Resource":"*",` +
		`"Action":["iam:GetAccountProperties","iam:PutAccountProperties"]`
	for namespace, status := range map[string]int{"Other": 403, "RoleManager": 0} {
		only := ifso(properties, "ForAnyValue:StringEquals", "iam:AccountPropertyNamespaces", namespace)
		w.putUserPolicy(t, "Ann", document(only))
		_, err := ann.PutAccountProperties(t.Context(), put("false"))
		_, read := ann.GetAccountProperties(t.Context(), &iam.GetAccountPropertiesInput{})
		if failureOf(err).status != status || failureOf(read).status != status {
			t.Errorf("namespace %s: %v, %v", namespace, err, read)
		}
	}
	// The namespaces are a list, so only set operators match them.
	w.putUserPolicy(t, "Ann",
		document(ifso(properties, "StringEquals", "iam:AccountPropertyNamespaces", "RoleManager")))
	if _, err := ann.PutAccountProperties(t.Context(), put("false")); failureOf(err).status != 403 {
		t.Errorf("a list is compared with StringEquals: %v", err)
	}
	w.putUserPolicy(t, "Ann", document(properties))
	const denied = "User: " + userPath +
		"/Ann is not authorized to perform: iam:CreateServiceLinkedRole on resource: " +
		iamARN + "role/aws-service-role/role-manager.iam.amazonaws.com/AWSServiceRoleForIAMRoleManager " +
		"because no identity-based policy allows the iam:CreateServiceLinkedRole action"
	refused(t, ann.PutAccountProperties, put("true"), 403, "AccessDenied", denied)
	must(t, w.root.PutAccountProperties, put("true"))
	refused(t, ann.PutAccountProperties, put("true"), 403, "AccessDenied", denied)
	must(t, ann.PutAccountProperties, put("false"))
	create := `"Effect":"Allow","Action":"iam:CreateServiceLinkedRole","Resource":"*",` +
		`"Condition":{"StringEquals":{"iam:AWSServiceName":"role-manager.iam.amazonaws.com"}}`
	w.putUserPolicy(t, "Ann", document(properties+"},{"+create))
	must(t, ann.PutAccountProperties, put("true"))

	records := w.records(t)
	last := records[len(records)-1]
	want := map[string]any{"properties": map[string]any{"RoleManager/Enabled": "true"}}
	if diff := cmp.Diff(want, last.RequestParameters); diff != "" {
		t.Errorf("the trail has other parameters, -want +got\n%s", diff)
	}
}

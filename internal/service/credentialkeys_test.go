package service_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// Policies can limit service credentials to a service and to an age. The
// service is compared in lower case, and a request without days has no age
// (recorded).
func TestServiceCredentialConditions(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "ann")
	caller := w.asUser(t, "ann")
	allow := func(action, condition string) {
		t.Helper()
		w.put(t, "ann", oneStatement("Allow", "iam:"+action+"ServiceSpecificCredential", "*", condition))
	}
	create := func(service string, days *int32) error {
		in := &iam.CreateServiceSpecificCredentialInput{UserName: ptr("ann"),
			ServiceName: &service, CredentialAgeDays: days}
		made, err := caller.CreateServiceSpecificCredential(t.Context(), in)
		if err == nil {
			id := made.ServiceSpecificCredential.ServiceSpecificCredentialId
			must(t, w.root.DeleteServiceSpecificCredential,
				&iam.DeleteServiceSpecificCredentialInput{UserName: ptr("ann"), ServiceSpecificCredentialId: id})
		}
		return err
	}
	allow("Create", `{"StringEquals":{"iam:ServiceSpecificCredentialServiceName":"codecommit.amazonaws.com"},`+
		`"NumericLessThanEquals":{"iam:ServiceSpecificCredentialAgeDays":"2"}}`)
	for _, c := range []struct {
		service string
		days    *int32
		ok      bool
	}{
		{codeCommit, ptr[int32](2), true},
		{"CodeCommit.amazonaws.com", ptr[int32](1), true},
		{codeCommit, ptr[int32](3), false},
		{codeCommit, nil, false},
		{"bedrock.amazonaws.com", ptr[int32](1), false},
	} {
		if err := create(c.service, c.days); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}

	for _, service := range []string{codeCommit, "bedrock.amazonaws.com"} {
		cred := must(t, w.root.CreateServiceSpecificCredential,
			&iam.CreateServiceSpecificCredentialInput{UserName: ptr("ann"), ServiceName: &service})
		id := cred.ServiceSpecificCredential.ServiceSpecificCredentialId
		allow("*", `{"StringEquals":{"iam:ServiceSpecificCredentialServiceName":"codecommit.amazonaws.com"}}`)
		_, updated := caller.UpdateServiceSpecificCredential(t.Context(),
			&iam.UpdateServiceSpecificCredentialInput{ServiceSpecificCredentialId: id, Status: "Inactive"})
		_, reset := caller.ResetServiceSpecificCredential(t.Context(),
			&iam.ResetServiceSpecificCredentialInput{ServiceSpecificCredentialId: id})
		_, deleted := caller.DeleteServiceSpecificCredential(t.Context(),
			&iam.DeleteServiceSpecificCredentialInput{ServiceSpecificCredentialId: id})
		for name, err := range map[string]error{"update": updated, "reset": reset, "delete": deleted} {
			if (err == nil) != (service == codeCommit) {
				t.Errorf("%s of %s: %v", name, service, err)
			}
		}
	}
}

package service_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

var credentialID = regexp.MustCompile(`^ACCA[A-Z2-7]{17}$`)

const codeCommit = "codecommit.amazonaws.com"

func TestServiceSpecificCredentials(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		w.user(t, "bob")
		create := func(user, service string) *iam.CreateServiceSpecificCredentialInput {
			return &iam.CreateServiceSpecificCredentialInput{UserName: &user, ServiceName: &service}
		}
		one := must(t, w.root.CreateServiceSpecificCredential,
			create("ann", "CodeCommit.amazonaws.com")).ServiceSpecificCredential
		if !credentialID.MatchString(*one.ServiceSpecificCredentialId) || len(*one.ServicePassword) != 60 {
			t.Errorf("id %s with a password of %d characters", *one.ServiceSpecificCredentialId,
				len(*one.ServicePassword))
		}
		same(t, *one, types.ServiceSpecificCredential{
			UserName: ptr("Ann"), ServiceName: ptr(codeCommit), ServiceUserName: ptr("Ann-at-" + account),
			ServicePassword:             one.ServicePassword,
			ServiceSpecificCredentialId: one.ServiceSpecificCredentialId,
			Status:                      types.StatusTypeActive, CreateDate: ptr(began),
		})
		two := must(t, w.root.CreateServiceSpecificCredential, create("ann", codeCommit)).ServiceSpecificCredential
		same(t, two.ServiceUserName, ptr("Ann+1-at-"+account))
		refused(t, w.root.CreateServiceSpecificCredential, create("ann", codeCommit), 409, "LimitExceeded",
			"Cannot exceed quota for ContextSpecificCredentialsPerUserPerContext: 2")
		refused(t, w.root.CreateServiceSpecificCredential, create("ann", "s3.amazonaws.com"), 404, "NoSuchEntity",
			"No such service s3.amazonaws.com is supported for Service Specific Credentials")

		of := func(user string) *iam.UpdateServiceSpecificCredentialInput {
			return &iam.UpdateServiceSpecificCredentialInput{UserName: &user,
				ServiceSpecificCredentialId: one.ServiceSpecificCredentialId, Status: types.StatusTypeInactive}
		}
		must(t, w.root.UpdateServiceSpecificCredential, of("ann"))
		t.Run("list", func(t *testing.T) {
			want := types.ServiceSpecificCredentialMetadata{
				UserName: ptr("Ann"), ServiceName: ptr(codeCommit), ServiceUserName: one.ServiceUserName,
				ServiceSpecificCredentialId: one.ServiceSpecificCredentialId,
				Status:                      types.StatusTypeInactive, CreateDate: ptr(began),
			}
			must(t, w.root.DeleteServiceSpecificCredential,
				&iam.DeleteServiceSpecificCredentialInput{UserName: ptr("ann"),
					ServiceSpecificCredentialId: two.ServiceSpecificCredentialId})
			for name, in := range map[string]*iam.ListServiceSpecificCredentialsInput{
				"user":    {UserName: ptr("ann")},
				"service": {UserName: ptr("ann"), ServiceName: ptr("CODECOMMIT.amazonaws.com")},
				"account": {AllUsers: ptr(true)},
			} {
				t.Run(name, func(t *testing.T) {
					same(t, must(t, w.root.ListServiceSpecificCredentials, in),
						&iam.ListServiceSpecificCredentialsOutput{
							ServiceSpecificCredentials: []types.ServiceSpecificCredentialMetadata{want}})
				})
			}
			same(t, must(t, w.root.ListServiceSpecificCredentials,
				&iam.ListServiceSpecificCredentialsInput{UserName: ptr("bob")}),
				&iam.ListServiceSpecificCredentialsOutput{
					ServiceSpecificCredentials: []types.ServiceSpecificCredentialMetadata{}})
		})
		t.Run("reset", func(t *testing.T) {
			got := must(t, w.root.ResetServiceSpecificCredential,
				&iam.ResetServiceSpecificCredentialInput{UserName: ptr("ann"),
					ServiceSpecificCredentialId: one.ServiceSpecificCredentialId}).ServiceSpecificCredential
			if *got.ServicePassword == *one.ServicePassword || len(*got.ServicePassword) != 60 {
				t.Error("the password is the old one, or too short")
			}
			want := *one
			want.ServicePassword, want.Status = got.ServicePassword, types.StatusTypeInactive
			same(t, *got, want)
		})
		t.Run("of another user", func(t *testing.T) {
			message := "User bob does not have a service specific credential with id " +
				*one.ServiceSpecificCredentialId
			refused(t, w.root.UpdateServiceSpecificCredential, of("bob"), 400, "ValidationError", message)
			refused(t, w.root.ResetServiceSpecificCredential,
				&iam.ResetServiceSpecificCredentialInput{UserName: ptr("bob"),
					ServiceSpecificCredentialId: one.ServiceSpecificCredentialId}, 400, "ValidationError", message)
			refused(t, w.root.DeleteServiceSpecificCredential,
				&iam.DeleteServiceSpecificCredentialInput{UserName: ptr("bob"),
					ServiceSpecificCredentialId: one.ServiceSpecificCredentialId}, 400, "ValidationError", message)
		})
	})
}

// A credential of a service that uses API keys, with an expiry.
func TestServiceAPIKey(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "u")
	k := must(t, w.root.CreateServiceSpecificCredential, &iam.CreateServiceSpecificCredentialInput{
		UserName: ptr("u"), ServiceName: ptr("bedrock.amazonaws.com"), CredentialAgeDays: ptr(int32(1)),
	}).ServiceSpecificCredential
	same(t, *k, types.ServiceSpecificCredential{
		UserName: ptr("u"), ServiceName: ptr("bedrock.amazonaws.com"),
		ServiceSpecificCredentialId: k.ServiceSpecificCredentialId,
		ServiceCredentialAlias:      ptr("u-at-" + account), ServiceCredentialSecret: k.ServiceCredentialSecret,
		Status: types.StatusTypeActive, CreateDate: ptr(began), ExpirationDate: ptr(began.Add(24 * time.Hour)),
	})
	w.clock.advance(24 * time.Hour)
	got := must(t, w.root.ListServiceSpecificCredentials,
		&iam.ListServiceSpecificCredentialsInput{UserName: ptr("u")}).ServiceSpecificCredentials[0]
	if got.Status != types.StatusTypeExpired {
		t.Errorf("status %s", got.Status)
	}
}

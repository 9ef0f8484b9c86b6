package identity_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
)

const codeCommit = "codecommit.amazonaws.com"

// credential creates a service-specific credential.
func (w *world) credential(t testing.TB, user, service string) *types.ServiceSpecificCredential {
	t.Helper()
	return must(t, w.root, w.CreateServiceSpecificCredential,
		&iam.CreateServiceSpecificCredentialInput{UserName: &user, ServiceName: &service}).ServiceSpecificCredential
}

func TestCreateServiceSpecificCredential(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Jane")
		now := w.clock.Now()
		for _, service := range []string{codeCommit, "cassandra.amazonaws.com"} {
			for _, name := range []string{"Jane-at-" + account, "Jane+1-at-" + account} {
				got := w.credential(t, "jane", strings.ToUpper(service))
				want := types.ServiceSpecificCredential{
					UserName: ptr("Jane"), ServiceName: &service, ServiceUserName: &name,
					Status: "Active", CreateDate: &now,
					ServicePassword: got.ServicePassword, ServiceSpecificCredentialId: got.ServiceSpecificCredentialId,
				}
				if diff := cmp.Diff(want, *got, ignoreSDK); diff != "" {
					t.Error(diff)
				}
				if len(*got.ServicePassword) != 60 {
					t.Errorf("password of %d characters", len(*got.ServicePassword))
				}
				if id := *got.ServiceSpecificCredentialId; len(id) != 21 || !strings.HasPrefix(id, "ACCA") {
					t.Errorf("id %s", id)
				}
				w.wantSealed(t, *got.ServiceSpecificCredentialId, *got.ServicePassword)
			}
		}
	})
}

// wantSealed checks that the database does not contain a password in clear.
func (w *world) wantSealed(t *testing.T, id, password string) {
	t.Helper()
	err := w.db.View(t.Context(), func(tx *store.Tx) error {
		c, err := tx.ServiceCredential(account, id)
		if bytes.Contains(c.Secret, []byte(password)) {
			t.Error("the password is stored as it is")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Some services have API keys: one text that contains the name and the secret.
func TestCreateServiceSpecificCredentialAPIKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Jane")
		now := w.clock.Now()
		for service, prefix := range map[string]string{
			"bedrock.amazonaws.com": "ABSK", "logs.amazonaws.com": "ACWL",
			"cloudwatch.amazonaws.com": "APIAACWM", "aws-external-anthropic.amazonaws.com": "AEAA",
		} {
			got := must(t, w.root, w.CreateServiceSpecificCredential, &iam.CreateServiceSpecificCredentialInput{
				UserName: ptr("Jane"), ServiceName: &service, CredentialAgeDays: ptr[int32](36600),
			}).ServiceSpecificCredential
			want := types.ServiceSpecificCredential{
				UserName: ptr("Jane"), ServiceName: &service,
				ServiceCredentialAlias: ptr("Jane-at-" + account), Status: "Active",
				CreateDate: &now, ExpirationDate: ptr(now.AddDate(0, 0, 36600)),
				ServiceCredentialSecret:     got.ServiceCredentialSecret,
				ServiceSpecificCredentialId: got.ServiceSpecificCredentialId,
			}
			if diff := cmp.Diff(want, *got, ignoreSDK); diff != "" {
				t.Error(diff)
			}
			encoded, ok := strings.CutPrefix(*got.ServiceCredentialSecret, prefix)
			raw, err := base64.StdEncoding.DecodeString(encoded)
			alias, password, _ := strings.Cut(string(raw), ":")
			if !ok || err != nil || alias != "Jane-at-"+account || len(password) != 60 {
				t.Errorf("%s: a key of %q and %d characters, %v", service, alias, len(password), err)
			}
			w.wantSealed(t, *got.ServiceSpecificCredentialId, password)
			m := must(t, w.root, w.ListServiceSpecificCredentials,
				&iam.ListServiceSpecificCredentialsInput{UserName: ptr("jane"), ServiceName: &service})
			listed := types.ServiceSpecificCredentialMetadata{
				UserName: want.UserName, ServiceName: want.ServiceName,
				ServiceCredentialAlias: want.ServiceCredentialAlias, Status: want.Status,
				CreateDate: want.CreateDate, ExpirationDate: want.ExpirationDate,
				ServiceSpecificCredentialId: want.ServiceSpecificCredentialId,
			}
			if diff := cmp.Diff([]types.ServiceSpecificCredentialMetadata{listed},
				m.ServiceSpecificCredentials, ignoreSDK); diff != "" {
				t.Error(diff)
			}
		}
	})
}

// A credential keeps its name when the user is renamed. A new user with the old
// user name gets another credential name.
func TestServiceSpecificCredentialNames(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "jane")
		first := w.credential(t, "jane", codeCommit)
		must(t, w.root, w.UpdateUser, &iam.UpdateUserInput{UserName: ptr("jane"), NewUserName: ptr("Joan")})
		w.user(t, "jane")
		if got := *w.credential(t, "jane", codeCommit).ServiceUserName; got != "jane+1-at-"+account {
			t.Errorf("the new jane is %s", got)
		}
		// A user's name can contain a plus.
		w.user(t, "jane+1")
		if got := *w.credential(t, "jane+1", codeCommit).ServiceUserName; got != "jane+1+1-at-"+account {
			t.Errorf("jane+1 is %s", got)
		}
		reset := must(t, w.root, w.ResetServiceSpecificCredential, &iam.ResetServiceSpecificCredentialInput{
			UserName: ptr("joan"), ServiceSpecificCredentialId: first.ServiceSpecificCredentialId,
		}).ServiceSpecificCredential
		if *reset.UserName != "Joan" || *reset.ServiceUserName != "jane-at-"+account {
			t.Errorf("after the rename: %s with %s", *reset.UserName, *reset.ServiceUserName)
		}
		// A name that is free again is used again.
		must(t, w.root, w.DeleteServiceSpecificCredential, &iam.DeleteServiceSpecificCredentialInput{
			UserName: ptr("joan"), ServiceSpecificCredentialId: first.ServiceSpecificCredentialId,
		})
		if got := *w.credential(t, "jane", codeCommit).ServiceUserName; got != "jane-at-"+account {
			t.Errorf("the name that is free again is not given: %s", got)
		}
	})
}

func TestResetServiceSpecificCredential(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "jane")
		jane := w.asUser(t, "jane")
		old := must(t, w.root, w.CreateServiceSpecificCredential, &iam.CreateServiceSpecificCredentialInput{
			UserName: ptr("jane"), ServiceName: ptr(codeCommit), CredentialAgeDays: ptr[int32](1),
		}).ServiceSpecificCredential
		id := old.ServiceSpecificCredentialId
		must(t, jane, w.UpdateServiceSpecificCredential,
			&iam.UpdateServiceSpecificCredentialInput{ServiceSpecificCredentialId: id, Status: "Inactive"})
		w.clock.advance(time.Hour)
		got := must(t, jane, w.ResetServiceSpecificCredential,
			&iam.ResetServiceSpecificCredentialInput{ServiceSpecificCredentialId: id}).ServiceSpecificCredential
		if *got.ServicePassword == *old.ServicePassword || len(*got.ServicePassword) != 60 {
			t.Error("no new password")
		}
		w.wantSealed(t, *id, *got.ServicePassword)
		want := *old
		want.Status, want.ServicePassword = "Inactive", got.ServicePassword
		if diff := cmp.Diff(want, *got, ignoreSDK); diff != "" {
			t.Error(diff)
		}
		// After its last day it is expired, whatever status is set.
		w.clock.advance(23 * time.Hour)
		must(t, jane, w.UpdateServiceSpecificCredential,
			&iam.UpdateServiceSpecificCredentialInput{ServiceSpecificCredentialId: id, Status: "Active"})
		list := must(t, jane, w.ListServiceSpecificCredentials, &iam.ListServiceSpecificCredentialsInput{})
		if len(list.ServiceSpecificCredentials) != 1 || list.ServiceSpecificCredentials[0].Status != "Expired" {
			t.Errorf("after the last day: %+v", list.ServiceSpecificCredentials)
		}
		must(t, jane, w.DeleteServiceSpecificCredential,
			&iam.DeleteServiceSpecificCredentialInput{ServiceSpecificCredentialId: id})
		list = must(t, jane, w.ListServiceSpecificCredentials, &iam.ListServiceSpecificCredentialsInput{})
		if list.ServiceSpecificCredentials == nil || len(list.ServiceSpecificCredentials) > 0 {
			t.Errorf("after the deletion: %v, want an empty list", list.ServiceSpecificCredentials)
		}
	})
}

func TestListServiceSpecificCredentials(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Jane")
		w.user(t, "bob")
		for _, c := range [][2]string{{"jane", codeCommit}, {"jane", codeCommit},
			{"jane", "logs.amazonaws.com"}, {"bob", codeCommit}} {
			w.credential(t, c[0], c[1])
		}
		for name, test := range map[string]struct {
			in   iam.ListServiceSpecificCredentialsInput
			want map[string]int
		}{
			"a user": {iam.ListServiceSpecificCredentialsInput{UserName: ptr("jane"),
				AllUsers: ptr(false)}, map[string]int{"Jane": 3}},
			"a user and a service": {iam.ListServiceSpecificCredentialsInput{UserName: ptr("jane"),
				ServiceName: ptr("CodeCommit.amazonaws.com")}, map[string]int{"Jane": 2}},
			"an empty service": {iam.ListServiceSpecificCredentialsInput{UserName: ptr("jane"),
				ServiceName: ptr("")}, map[string]int{"Jane": 3}},
			"the caller": {iam.ListServiceSpecificCredentialsInput{}, map[string]int{}},
			"all users": {iam.ListServiceSpecificCredentialsInput{AllUsers: ptr(true)},
				map[string]int{"Jane": 3, "bob": 1}},
			"all users of a service": {iam.ListServiceSpecificCredentialsInput{AllUsers: ptr(true),
				ServiceName: ptr(codeCommit)}, map[string]int{"Jane": 2, "bob": 1}},
		} {
			t.Run(name, func(t *testing.T) {
				got, ids := map[string]int{}, map[string]bool{}
				in, last := test.in, ""
				in.MaxItems = ptr[int32](1)
				for {
					out := must(t, w.root, w.ListServiceSpecificCredentials, &in)
					for _, c := range out.ServiceSpecificCredentials {
						got[*c.UserName]++
						ids[*c.ServiceSpecificCredentialId] = true
						if *c.ServiceSpecificCredentialId <= last {
							t.Errorf("%s after %s", *c.ServiceSpecificCredentialId, last)
						}
						last = *c.ServiceSpecificCredentialId
					}
					if in.Marker = out.Marker; !out.IsTruncated {
						break
					}
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	})
}

func TestServiceSpecificCredentialRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "jane")
		w.user(t, "bob")
		id := w.credential(t, "jane", codeCommit).ServiceSpecificCredentialId
		w.credential(t, "jane", codeCommit)
		create := func(user, service string) *iam.CreateServiceSpecificCredentialInput {
			return &iam.CreateServiceSpecificCredentialInput{UserName: &user, ServiceName: &service}
		}
		noService := func(name string) string {
			return "No such service " + name + " is supported for Service Specific Credentials"
		}
		for _, name := range []string{"lambda.amazonaws.com", "nonexistentservice.amazonaws.com", "o3on3n3onosneo",
			"codecommit.amazonaws.com.cn", ""} {
			refused(t, w.root, w.CreateServiceSpecificCredential, create("jane", name), 404,
				"NoSuchEntity", noService(name))
		}
		refused(t, w.root, w.CreateServiceSpecificCredential, create("jane", "code_commit"), 400, "ValidationError",
			"ServiceName must match [a-zA-Z0-9.-]*")
		refused(t, w.root, w.CreateServiceSpecificCredential,
			create("non-existent-user", codeCommit), 404, "NoSuchEntity",
			"The user with name non-existent-user cannot be found.")
		refused(t, w.root, w.CreateServiceSpecificCredential, create("jane", codeCommit), 409, "LimitExceeded",
			"Cannot exceed quota for ContextSpecificCredentialsPerUserPerContext: 2")

		refused(t, w.root, w.ListServiceSpecificCredentials,
			&iam.ListServiceSpecificCredentialsInput{ServiceName: ptr("nonexistentservice.amazonaws.com")},
			404, "NoSuchEntity", noService("nonexistentservice.amazonaws.com"))
		refused(t, w.root, w.ListServiceSpecificCredentials,
			&iam.ListServiceSpecificCredentialsInput{ServiceName: ptr("a b")},
			400, "ValidationError", "ServiceName must match [a-zA-Z0-9.-]*")
		refused(t, w.root, w.ListServiceSpecificCredentials,
			&iam.ListServiceSpecificCredentialsInput{UserName: ptr("wrong-user-name")},
			404, "NoSuchEntity", "The user with name wrong-user-name cannot be found.")
		refused(t, w.root, w.ListServiceSpecificCredentials,
			&iam.ListServiceSpecificCredentialsInput{UserName: ptr("jane"), AllUsers: ptr(true)},
			400, "InvalidInput", "Cannot list credentials for all users if a username is given")
		page := must(t, w.root, w.ListServiceSpecificCredentials,
			&iam.ListServiceSpecificCredentialsInput{UserName: ptr("jane"), MaxItems: ptr[int32](1)})
		refused(t, w.root, w.ListServiceSpecificCredentials,
			&iam.ListServiceSpecificCredentialsInput{AllUsers: ptr(true), Marker: page.Marker},
			400, "ValidationError", "Invalid Marker.")

		for _, test := range []struct {
			user, id      *string
			status        int
			code, message string
		}{
			{ptr("wrong-user-name"), id, 404, "NoSuchEntity", "The user with name wrong-user-name cannot be found."},
			{ptr("jane"), ptr("satisfiesregexbutstillinvalid"), 404, "NoSuchEntity",
				"No such credential satisfiesregexbutstillinvalid exists"},
			{ptr("bob"), id, 400, "ValidationError",
				"User bob does not have a service specific credential with id " + *id},
			{ptr("jane"), ptr("no-id-with-hyphens-at-all"), 400, "ValidationError",
				"1 validation error detected: Value at 'serviceSpecificCredentialId' failed to satisfy constraint: " +
					"Member must satisfy regular expression pattern: [\\w]+"},
		} {
			refused(t, w.root, w.UpdateServiceSpecificCredential,
				&iam.UpdateServiceSpecificCredentialInput{UserName: test.user,
					ServiceSpecificCredentialId: test.id, Status: "Inactive"},
				test.status, test.code, test.message)
			refused(t, w.root, w.ResetServiceSpecificCredential,
				&iam.ResetServiceSpecificCredentialInput{UserName: test.user, ServiceSpecificCredentialId: test.id},
				test.status, test.code, test.message)
			refused(t, w.root, w.DeleteServiceSpecificCredential,
				&iam.DeleteServiceSpecificCredentialInput{UserName: test.user, ServiceSpecificCredentialId: test.id},
				test.status, test.code, test.message)
		}
		refused(t, w.root, w.UpdateServiceSpecificCredential,
			&iam.UpdateServiceSpecificCredentialInput{UserName: ptr("jane"),
				ServiceSpecificCredentialId: id, Status: "Expired"},
			400, "InvalidInput", "Operation does not support status Expired")
	})
}

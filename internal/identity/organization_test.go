package identity_test

import (
	"context"
	"regexp"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"rollcall/internal/identity"
	"rollcall/internal/store"
)

const (
	member   = "111111111111"
	stranger = "222222222222"
)

// features returns the answer of one of the five actions on features.
func features(
	t *testing.T, w *world, ctx context.Context, action string,
) (id string, enabled []types.FeatureType, err error) {
	t.Helper()
	switch action {
	case "EnableOrganizationsRootCredentialsManagement":
		out, err := call(ctx, w.EnableOrganizationsRootCredentialsManagement,
			&iam.EnableOrganizationsRootCredentialsManagementInput{})
		if err != nil {
			return "", nil, err
		}
		return *out.OrganizationId, out.EnabledFeatures, nil
	case "DisableOrganizationsRootCredentialsManagement":
		out, err := call(ctx, w.DisableOrganizationsRootCredentialsManagement,
			&iam.DisableOrganizationsRootCredentialsManagementInput{})
		if err != nil {
			return "", nil, err
		}
		return *out.OrganizationId, out.EnabledFeatures, nil
	case "EnableOrganizationsRootSessions":
		out, err := call(ctx, w.EnableOrganizationsRootSessions, &iam.EnableOrganizationsRootSessionsInput{})
		if err != nil {
			return "", nil, err
		}
		return *out.OrganizationId, out.EnabledFeatures, nil
	case "DisableOrganizationsRootSessions":
		out, err := call(ctx, w.DisableOrganizationsRootSessions, &iam.DisableOrganizationsRootSessionsInput{})
		if err != nil {
			return "", nil, err
		}
		return *out.OrganizationId, out.EnabledFeatures, nil
	}
	out, err := call(ctx, w.ListOrganizationsFeatures, &iam.ListOrganizationsFeaturesInput{})
	if err != nil {
		return "", nil, err
	}
	return *out.OrganizationId, out.EnabledFeatures, nil
}

func TestOrganizationFeatures(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		key := w.newAccount(t, member)
		their := w.as(t, key.ID, key.Secret.Reveal())
		all := []string{"EnableOrganizationsRootCredentialsManagement", "EnableOrganizationsRootSessions",
			"ListOrganizationsFeatures",
			"DisableOrganizationsRootCredentialsManagement", "DisableOrganizationsRootSessions"}
		for _, action := range all {
			_, _, err := features(t, w, w.root, action)
			wantRefusal(t, err, 400, "OrganizationNotFoundException",
				"Account "+account+" is not a member of an organization.")
		}
		if err := w.ManageAccounts(t.Context(), account, []string{member}); err != nil {
			t.Fatal(err)
		}
		for _, action := range all {
			_, _, err := features(t, w, their, action)
			wantRefusal(t, err, 400, "AccountNotManagementOrDelegatedAdministratorException",
				"Account "+member+" is not the management account of its organization.")
		}
		const credentials, sessions = types.FeatureTypeRootCredentialsManagement, types.FeatureTypeRootSessions
		var first string
		for _, step := range []struct {
			action string
			want   []types.FeatureType
		}{
			{"ListOrganizationsFeatures", []types.FeatureType{}},
			{"EnableOrganizationsRootSessions", []types.FeatureType{sessions}},
			{"EnableOrganizationsRootCredentialsManagement", []types.FeatureType{credentials, sessions}},
			{"EnableOrganizationsRootCredentialsManagement", []types.FeatureType{credentials, sessions}},
			{"ListOrganizationsFeatures", []types.FeatureType{credentials, sessions}},
			{"DisableOrganizationsRootSessions", []types.FeatureType{credentials}},
			{"DisableOrganizationsRootSessions", []types.FeatureType{credentials}},
			{"DisableOrganizationsRootCredentialsManagement", []types.FeatureType{}},
			{"ListOrganizationsFeatures", []types.FeatureType{}},
		} {
			id, got, err := features(t, w, w.root, step.action)
			if diff := cmp.Diff(step.want, got); err != nil || diff != "" {
				t.Errorf("%s: %v %s", step.action, err, diff)
			}
			if first == "" {
				first = id
			}
			if id != first || !regexp.MustCompile(`^o-[a-z0-9]{10,32}$`).MatchString(id) {
				t.Errorf("organization %s, before %s", id, first)
			}
		}
	})
}

// The operator creates and ends organisations.
func TestManageAccounts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.newAccount(t, member)
		w.newAccount(t, stranger)
		if _, err := w.CreateAccount(t.Context(),
			identity.AccountSpec{ID: "333333333333", Partition: "aws-cn"}); err != nil {
			t.Fatal(err)
		}
		fails := func(err error, want string) {
			t.Helper()
			if err == nil || err.Error() != want {
				t.Errorf("error %v\nwant %s", err, want)
			}
		}
		succeeds := func(err error) {
			t.Helper()
			if err != nil {
				t.Error(err)
			}
		}
		_, err := w.Organization(t.Context(), account)
		fails(err, "account 123456789012 belongs to no organization")
		fails(w.LeaveOrganization(t.Context(), account),
			"leave organization: account 123456789012 belongs to no organization")
		fails(w.ManageAccounts(t.Context(), "999999999999", nil), "manage accounts: there is no account 999999999999")
		fails(w.ManageAccounts(t.Context(), account, []string{member, "999999999999"}),
			"manage accounts: there is no account 999999999999")
		fails(w.ManageAccounts(t.Context(), account, []string{"333333333333"}),
			"manage accounts: account 333333333333 is of partition aws-cn, and account 123456789012 of aws")
		_, err = w.Organization(t.Context(), member)
		fails(err, "account 111111111111 belongs to no organization") // all or nothing

		succeeds(w.ManageAccounts(t.Context(), account, nil))
		succeeds(w.ManageAccounts(t.Context(), account, []string{stranger, member, member, account}))
		o, err := w.Organization(t.Context(), member)
		succeeds(err)
		if diff := cmp.Diff(identity.Organization{ID: o.ID, Management: account, Members: []string{member, stranger}},
			o); diff != "" {
			t.Error(diff)
		}
		fails(w.ManageAccounts(t.Context(), member, nil),
			"manage accounts: account 111111111111 is a member of the organization that account 123456789012 manages")
		fails(w.LeaveOrganization(t.Context(), account),
			"leave organization: account 123456789012 still manages 111111111111, 222222222222")
		succeeds(w.LeaveOrganization(t.Context(), stranger))
		succeeds(w.ManageAccounts(t.Context(), stranger, nil))
		fails(w.ManageAccounts(t.Context(), account, []string{stranger}),
			"manage accounts: account 222222222222 belongs to the organization that account 222222222222 manages")
		other, err := w.Organization(t.Context(), stranger)
		succeeds(err)
		if other.ID == o.ID || len(other.Members) > 0 {
			t.Errorf("%+v beside %+v", other, o)
		}
		if _, _, err := features(t, w, w.root, "EnableOrganizationsRootSessions"); err != nil {
			t.Fatal(err)
		}
		succeeds(w.LeaveOrganization(t.Context(), member))
		succeeds(w.LeaveOrganization(t.Context(), account))
		// A new organisation has another id and none of the features of the old
		// one.
		succeeds(w.ManageAccounts(t.Context(), account, []string{member}))
		again, err := w.Organization(t.Context(), account)
		succeeds(err)
		if again.ID == o.ID || len(again.Features) > 0 {
			t.Errorf("%+v after %+v", again, o)
		}
		// An organisation ends with its management account, even if a later
		// account gets its number.
		succeeds(w.DeleteAccount(t.Context(), account))
		_, err = w.Organization(t.Context(), member)
		fails(err, "account 111111111111 belongs to no organization")
		w.newAccount(t, account)
		_, err = w.Organization(t.Context(), member)
		fails(err, "account 111111111111 belongs to no organization")
	})
}

func TestSetSecurityTokenServicePreferences(t *testing.T) {
	w := newWorld(t, store.Config{Memory: true}, identity.Config{})
	for _, c := range []struct {
		version types.GlobalEndpointTokenVersion
		want    int32
	}{{"v2Token", 2}, {"v1Token", 1}} {
		must(t, w.root, w.SetSecurityTokenServicePreferences,
			&iam.SetSecurityTokenServicePreferencesInput{GlobalEndpointTokenVersion: c.version})
		if got := must(t, w.root, w.GetAccountSummary,
			&iam.GetAccountSummaryInput{}).SummaryMap["GlobalEndpointTokenVersion"]; got != c.want {
			t.Errorf("%s: %d", c.version, got)
		}
	}
	refused(t, w.root, w.SetSecurityTokenServicePreferences,
		&iam.SetSecurityTokenServicePreferencesInput{GlobalEndpointTokenVersion: "v3Token"}, 400, "ValidationError",
		"1 validation error detected: Value at 'globalEndpointTokenVersion' failed to satisfy constraint: Member "+
			"must satisfy enum value set: [v2Token, v1Token]")
}

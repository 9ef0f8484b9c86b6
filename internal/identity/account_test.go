package identity_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"rollcall/internal/identity"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

func TestCreateAccount(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		t.Run("root key signs", func(t *testing.T) {
			c := principal.Of(w.root)
			if !c.IsRoot() || c.Account() != account || c.UserID() != account ||
				c.ARN() != "arn:aws:iam::123456789012:root" {
				t.Errorf("caller %+v", c)
			}
			if got, ok := seal.AccountOfKeyID(w.rootKey.ID); !ok || got != account {
				t.Errorf("key id %s names account %q", w.rootKey.ID, got)
			}
		})
		t.Run("drawn id", func(t *testing.T) {
			a, err := w.CreateAccount(t.Context(), identity.AccountSpec{})
			if err != nil {
				t.Fatal(err)
			}
			b, err := w.CreateAccount(t.Context(), identity.AccountSpec{})
			if err != nil {
				t.Fatal(err)
			}
			if len(a.ID) != 12 || strings.Trim(a.ID, "0123456789") != "" || a.ID[0] == '0' ||
				a.ID == b.ID || a.Partition != "aws" {
				t.Errorf("accounts %s, %s in %s", a.ID, b.ID, a.Partition)
			}
		})
		t.Run("all given", func(t *testing.T) {
			spec := identity.AccountSpec{
				ID: "000000000000", Alias: "dev", Partition: "aws-cn", Limits: map[string]int{"AccessKeysPerUser": 5},
				RootKeyID: "test", RootSecret: seal.NewSecret("test"),
			}
			n, err := w.CreateAccount(t.Context(), spec)
			if err != nil {
				t.Fatal(err)
			}
			dev := w.as(t, "test", "test")
			if c := principal.Of(dev); c.ARN() != "arn:aws-cn:iam::000000000000:root" {
				t.Errorf("caller %s", c.ARN())
			}
			if n.RootKey.ID != "test" || !n.RootKey.Secret.Equal(seal.NewSecret("test")) ||
				n.RootKey.Status != "Active" {
				t.Errorf("root key %+v", n.RootKey)
			}
			if got := must(t, dev, w.ListAccountAliases, &iam.ListAccountAliasesInput{}).AccountAliases; len(
				got) != 1 || got[0] != "dev" {
				t.Errorf("aliases %q", got)
			}
			if q := must(t, dev, w.GetAccountSummary,
				&iam.GetAccountSummaryInput{}).SummaryMap["AccessKeysPerUserQuota"]; q != 5 {
				t.Errorf("AccessKeysPerUserQuota %d", q)
			}
		})
		before, err := w.Accounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name string
			spec identity.AccountSpec
			want string
		}{
			{"taken id", identity.AccountSpec{ID: account}, "account 123456789012 exists already"},
			{"short id", identity.AccountSpec{ID: "12345678901"}, "is not twelve digits"},
			{"id with letters", identity.AccountSpec{ID: "12345678901x"}, "is not twelve digits"},
			{"other digits", identity.AccountSpec{ID: "١٢٣٤٥٦"}, "is not twelve digits"},
			{"partition", identity.AccountSpec{Partition: "aws-iso"}, "aws, aws-cn, aws-us-gov"},
			{"taken alias", identity.AccountSpec{Alias: "dev"}, "the alias dev belongs to another account"},
			{"bad alias", identity.AccountSpec{Alias: "a--b"}, "lower-case letters, digits and single hyphens"},
			{"unknown limit", identity.AccountSpec{Limits: map[string]int{"KeysPerUser": 3}},
				"the limits are UsersPerAccount, AccessKeysPerUser"},
			{"negative limit", identity.AccountSpec{Limits: map[string]int{"AccessKeysPerUser": -1}},
				"not between 0 and 1000"},
			{"key id alone", identity.AccountSpec{RootKeyID: "test2"}, "both its id and its secret"},
			{"secret alone", identity.AccountSpec{RootSecret: seal.NewSecret("hush")}, "both its id and its secret"},
			{"taken key id", identity.AccountSpec{RootKeyID: "test", RootSecret: seal.NewSecret("hush")},
				"access key id test is taken"},
			{"key id that cannot be signed with",
				identity.AccountSpec{RootKeyID: "a/b", RootSecret: seal.NewSecret("hush")}, "no request can carry"},
		} {
			t.Run(c.name, func(t *testing.T) {
				n, err := w.CreateAccount(t.Context(), c.spec)
				if err == nil || !strings.Contains(err.Error(), c.want) ||
					!strings.HasPrefix(err.Error(), "create account: ") {
					t.Fatalf("%v, want %q", err, c.want)
				}
				if strings.Contains(err.Error(), "hush") || n.ID != "" {
					t.Errorf("%v, %+v", err, n)
				}
			})
		}
		after, err := w.Accounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("refused accounts left something: %s", diff)
		}
	})
}

func TestAccounts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.clock.advance(time.Hour)
		_, err := w.CreateAccount(t.Context(),
			identity.AccountSpec{ID: "000000000007", Alias: "seven", Partition: "aws-us-gov",
				Limits: map[string]int{"UsersPerAccount": 9}})
		if err != nil {
			t.Fatal(err)
		}
		w.user(t, "alice")
		w.user(t, "bob")
		err = w.db.Update(t.Context(), func(tx *store.Tx) error {
			token, err := tx.StartReportJob(account, "node", time.Minute)
			if err != nil {
				return err
			}
			return tx.PublishReport(store.Report{Account: account, Token: token, Generated: began.Add(time.Minute)},
				store.ReportHistory{Count: 10})
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := w.Accounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if got[i].Instance == "" || i > 0 && got[i].Instance == got[i-1].Instance {
				t.Errorf("account %s has the instance %q", got[i].ID, got[i].Instance)
			}
			got[i].Instance = ""
		}
		want := []identity.AccountInfo{
			{Account: store.Account{ID: "000000000007", Partition: "aws-us-gov", Created: began.Add(time.Hour)},
				Alias: "seven", Limits: map[string]int{"UsersPerAccount": 9}},
			{Account: store.Account{ID: account, Partition: "aws", Created: began, Users: 2}, Limits: map[string]int{},
				Reported: began.Add(time.Minute)},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDeleteAccount(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		key := w.newAccount(t, "222222222222")
		other := w.as(t, key.ID, key.Secret.Reveal())
		must(t, other, w.CreateUser, &iam.CreateUserInput{UserName: ptr("alice")})
		must(t, other, w.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: ptr("alice")})
		must(t, other, w.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: ptr("alice"), Password: ptr(good)})
		must(t, other, w.CreateAccountAlias, &iam.CreateAccountAliasInput{AccountAlias: ptr("other")})
		must(t, other, w.UpdateAccountPasswordPolicy, &iam.UpdateAccountPasswordPolicyInput{})
		w.user(t, "alice")
		if err := w.DeleteAccount(t.Context(), "222222222222"); err != nil {
			t.Fatal(err)
		}
		if err := w.DeleteAccount(t.Context(), "222222222222"); err == nil ||
			err.Error() != "delete account: there is no account 222222222222" {
			t.Error(err)
		}
		all, err := w.Accounts(t.Context())
		if err != nil || len(all) != 1 || all[0].Users != 1 {
			t.Errorf("%+v, %v", all, err)
		}
		must(t, w.root, w.CreateAccountAlias, &iam.CreateAccountAliasInput{AccountAlias: ptr("other")})
		key = w.newAccount(t, "222222222222")
		other = w.as(t, key.ID, key.Secret.Reveal())
		if got := must(t, other, w.ListUsers, &identity.ListUsersInput{}).Users; len(got) > 0 {
			t.Errorf("users of a deleted account: %+v", got)
		}
	})
}

func TestSetLimits(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		set := func(account string, limits map[string]int) string {
			if err := w.SetLimits(t.Context(), account, limits); err != nil {
				return err.Error()
			}
			return ""
		}
		limits := func() map[string]int {
			t.Helper()
			all, err := w.Accounts(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return all[0].Limits
		}
		for _, c := range []struct {
			limits map[string]int
			err    string
			want   map[string]int
		}{
			{map[string]int{"AccessKeysPerUser": 3, "UsersPerAccount": 1_000_000_000}, "",
				map[string]int{"AccessKeysPerUser": 3, "UsersPerAccount": 1_000_000_000}},
			{map[string]int{"AccessKeysPerUser": 0}, "",
				map[string]int{"AccessKeysPerUser": 0, "UsersPerAccount": 1_000_000_000}},
			{map[string]int{"UsersPerAccount": identity.DefaultLimit}, "", map[string]int{"AccessKeysPerUser": 0}},
			{map[string]int{"UsersPerAccount": 1, "Groups": 2},
				`set limits: there is no limit "Groups"`,
				map[string]int{"AccessKeysPerUser": 0}},
			{map[string]int{"ACLSizePerRole": 131073},
				"set limits: limit ACLSizePerRole=131073 is not between 0 and 131072",
				map[string]int{"AccessKeysPerUser": 0}},
			{map[string]int{"AccessKeysPerUser": 1001},
				"set limits: limit AccessKeysPerUser=1001 is not between 0 and 1000",
				map[string]int{"AccessKeysPerUser": 0}},
		} {
			got := set(account, c.limits)
			if known, list, found := strings.Cut(got, "; the limits are "); found &&
				strings.Contains(list, "AccessKeysPerUser, ") {
				got = known
			}
			if got != c.err {
				t.Errorf("%v: %s", c.limits, got)
			}
			if diff := cmp.Diff(c.want, limits()); diff != "" {
				t.Errorf("%v: %s", c.limits, diff)
			}
		}
		if got := set("999999999999",
			map[string]int{"AccessKeysPerUser": 3}); got != "set limits: there is no account 999999999999" {
			t.Error(got)
		}
	})
}

func TestLimitNames(t *testing.T) {
	names := identity.LimitNames()
	sorted := slices.Sorted(slices.Values(names))
	if len(slices.Compact(sorted)) != len(names) {
		t.Errorf("a name is there twice: %v", names)
	}
}

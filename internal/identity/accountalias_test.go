package identity_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"
)

func TestAccountAlias(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		create := func(alias string) *iam.CreateAccountAliasInput {
			return &iam.CreateAccountAliasInput{AccountAlias: &alias}
		}
		want := func(t *testing.T, aliases ...string) {
			t.Helper()
			out := must(t, w.root, w.ListAccountAliases, &iam.ListAccountAliasesInput{})
			if diff := cmp.Diff(append([]string{}, aliases...), out.AccountAliases); diff != "" ||
				out.IsTruncated || out.Marker != nil {
				t.Error(diff)
			}
		}
		key := w.newAccount(t, "222222222222")
		other := w.as(t, key.ID, key.Secret.Reveal())
		want(t)
		must(t, w.root, w.CreateAccountAlias, create("example-corp"))
		want(t, "example-corp")
		t.Run("taken by another account", func(t *testing.T) {
			refused(t, other, w.CreateAccountAlias, create("example-corp"), 409, "EntityAlreadyExists",
				"The account alias example-corp already exists.")
		})
		t.Run("the same again", func(t *testing.T) {
			refused(t, w.root, w.CreateAccountAlias, create("example-corp"), 409, "EntityAlreadyExists",
				"The account alias example-corp already exists.")
			want(t, "example-corp")
		})
		t.Run("a new one replaces", func(t *testing.T) {
			must(t, w.root, w.CreateAccountAlias, create("example-inc"))
			want(t, "example-inc")
			must(t, other, w.CreateAccountAlias, create("example-corp"))
		})
		t.Run("refused one replaces nothing", func(t *testing.T) {
			refused(t, w.root, w.CreateAccountAlias, create("example-corp"), 409, "EntityAlreadyExists",
				"The account alias example-corp already exists.")
			want(t, "example-inc")
		})
		t.Run("delete of another account's", func(t *testing.T) {
			refused(t, w.root, w.DeleteAccountAlias, &iam.DeleteAccountAliasInput{AccountAlias: ptr("example-corp")},
				404, "NoSuchEntity", "The account alias example-corp cannot be found.")
			want(t, "example-inc")
		})
		t.Run("delete", func(t *testing.T) {
			must(t, w.root, w.DeleteAccountAlias, &iam.DeleteAccountAliasInput{AccountAlias: ptr("example-inc")})
			want(t)
			refused(t, w.root, w.DeleteAccountAlias, &iam.DeleteAccountAliasInput{AccountAlias: ptr("example-inc")},
				404, "NoSuchEntity", "The account alias example-inc cannot be found.")
		})
		t.Run("bad form", func(t *testing.T) {
			for _, alias := range []string{"ab", "-abc", "abc-", "a--b", "Example", "a_b"} {
				_, err := call(w.root, w.CreateAccountAlias, create(alias))
				wantCode(t, err, 400, "ValidationError")
			}
			want(t)
		})
		t.Run("bad marker", func(t *testing.T) {
			refused(t, w.root, w.ListAccountAliases, &iam.ListAccountAliasesInput{Marker: ptr("x")}, 400,
				"ValidationError", "Invalid Marker.")
		})
	})
}

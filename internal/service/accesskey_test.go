package service_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/identity"
	"rollcall/internal/service"
	"rollcall/internal/store"
)

var accessKeyID, secretKey = regexp.MustCompile(`^AKIA[A-Z2-7]{16}$`), regexp.MustCompile(`^[A-Za-z0-9+/]{40}$`)

const invalidToken = "The security token included in the request is invalid."

func TestAccessKeys(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		w.user(t, "bob")
		one := must(t, w.root.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: ptr("ann")}).AccessKey
		if !accessKeyID.MatchString(*one.AccessKeyId) || !secretKey.MatchString(*one.SecretAccessKey) {
			t.Errorf("key %s with a secret of %d characters", *one.AccessKeyId, len(*one.SecretAccessKey))
		}
		same(t, *one, types.AccessKey{UserName: ptr("Ann"), AccessKeyId: one.AccessKeyId,
			SecretAccessKey: one.SecretAccessKey, Status: types.StatusTypeActive, CreateDate: ptr(began)})
		w.clock.advance(time.Minute)
		two := must(t, w.root.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: ptr("ANN")}).AccessKey
		refused(t, w.root.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: ptr("ann")}, 409, "LimitExceeded",
			"Cannot exceed quota for AccessKeysPerUser: 2")
		metadata := func(k *types.AccessKey, status types.StatusType) types.AccessKeyMetadata {
			return types.AccessKeyMetadata{UserName: ptr("Ann"), AccessKeyId: k.AccessKeyId, Status: status,
				CreateDate: k.CreateDate}
		}
		update := func(user, id string, status types.StatusType) *iam.UpdateAccessKeyInput {
			return &iam.UpdateAccessKeyInput{UserName: &user, AccessKeyId: &id, Status: status}
		}
		must(t, w.root.UpdateAccessKey, update("ann", *two.AccessKeyId, types.StatusTypeInactive))
		want := []types.AccessKeyMetadata{metadata(one, types.StatusTypeActive),
			metadata(two, types.StatusTypeInactive)}
		slices.SortFunc(want, func(a, b types.AccessKeyMetadata) int {
			return strings.Compare(*a.AccessKeyId, *b.AccessKeyId)
		})
		same(t, must(t, w.root.ListAccessKeys, &iam.ListAccessKeysInput{UserName: ptr("ann")}),
			&iam.ListAccessKeysOutput{AccessKeyMetadata: want})
		same(t, must(t, w.root.ListAccessKeys, &iam.ListAccessKeysInput{UserName: ptr("bob")}),
			&iam.ListAccessKeysOutput{AccessKeyMetadata: []types.AccessKeyMetadata{}})

		t.Run("refused", func(t *testing.T) {
			unknown := "The Access Key with id " + *one.AccessKeyId + " cannot be found."
			refused(t, w.root.UpdateAccessKey, update("bob", *one.AccessKeyId, types.StatusTypeInactive),
				404, "NoSuchEntity", unknown)
			refused(t, w.root.DeleteAccessKey,
				&iam.DeleteAccessKeyInput{UserName: ptr("bob"), AccessKeyId: one.AccessKeyId},
				404, "NoSuchEntity", unknown)
			refused(t, w.root.DeleteAccessKey, &iam.DeleteAccessKeyInput{AccessKeyId: one.AccessKeyId},
				404, "NoSuchEntity", unknown)
			refused(t, w.root.UpdateAccessKey, update("ann", *one.AccessKeyId, types.StatusTypeExpired), 400,
				"InvalidInput", "Operation does not support status Expired")
			refused(t, w.root.UpdateAccessKey, update("ann", *one.AccessKeyId, "active"), 400, "ValidationError",
				"1 validation error detected: Value at 'status' failed to satisfy constraint: Member must satisfy "+
					"enum value set")
		})
		t.Run("switched off and on", func(t *testing.T) {
			off := w.as(*two.AccessKeyId, *two.SecretAccessKey)
			refused(t, off.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}, 403,
				"InvalidClientTokenId", invalidToken)
			must(t, w.root.UpdateAccessKey, update("ann", *two.AccessKeyId, types.StatusTypeActive))
			must(t, off.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
			must(t, w.root.DeleteAccessKey,
				&iam.DeleteAccessKeyInput{UserName: ptr("ann"), AccessKeyId: two.AccessKeyId})
			refused(t, off.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}, 403,
				"InvalidClientTokenId", invalidToken)
		})
		t.Run("after a rename", func(t *testing.T) {
			must(t, w.root.UpdateUser,
				&iam.UpdateUserInput{UserName: ptr("ann"), NewUserName: ptr("Anna"), NewPath: ptr("/x/")})
			same(t, must(t, w.as(*one.AccessKeyId, *one.SecretAccessKey).sts.GetCallerIdentity,
				&sts.GetCallerIdentityInput{}).Arn,
				ptr("arn:aws:iam::"+account+":user/x/Anna"))
		})
	})
}

// Without a name, root acts on its own keys. The answers have no UserName.
func TestAccessKeysOfRoot(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	k := must(t, w.root.CreateAccessKey, &iam.CreateAccessKeyInput{}).AccessKey
	if k.UserName != nil {
		t.Errorf("user name %q", *k.UserName)
	}
	refused(t, w.root.CreateAccessKey, &iam.CreateAccessKeyInput{}, 409, "LimitExceeded",
		"Cannot exceed quota for AccessKeysPerUser: 2")
	must(t, w.as(*k.AccessKeyId, *k.SecretAccessKey).DeleteAccessKey,
		&iam.DeleteAccessKeyInput{AccessKeyId: &w.rootKey.ID})
	refused(t, w.root.ListAccessKeys, &iam.ListAccessKeysInput{}, 403, "InvalidClientTokenId", invalidToken)
}

func TestGetAccessKeyLastUsed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		ann := w.asUser(t, "ann")
		get := func() *iam.GetAccessKeyLastUsedOutput {
			return must(t, w.root.GetAccessKeyLastUsed, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &ann.id})
		}
		used := func(service, region string, at *time.Time) *iam.GetAccessKeyLastUsedOutput {
			return &iam.GetAccessKeyLastUsedOutput{UserName: ptr("Ann"),
				AccessKeyLastUsed: &types.AccessKeyLastUsed{ServiceName: &service, Region: &region, LastUsedDate: at}}
		}
		same(t, get(), used("N/A", "N/A", nil))
		// A denied call is a use too.
		refused(t, ann.GetUser, &iam.GetUserInput{}, 403, "AccessDenied",
			"User: arn:aws:iam::123456789012:user/Ann is not authorized to perform: iam:GetUser on resource: user "+
				"Ann because no identity-based policy allows the iam:GetUser action")
		same(t, get(), used("iam", "eu-west-1", ptr(began)))
		w.clock.advance(90 * time.Second)
		must(t, ann.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
		same(t, get(), used("sts", "eu-west-1", ptr(began.Add(90*time.Second))))
		// A call with an invalid signature is not a use.
		w.clock.advance(time.Minute)
		_, err := w.as(ann.id, "wrong").sts.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		if f := failureOf(err); f.code != "SignatureDoesNotMatch" {
			t.Errorf("%+v", f)
		}
		same(t, get(), used("sts", "eu-west-1", ptr(began.Add(90*time.Second))))

		t.Run("of root", func(t *testing.T) {
			out := must(t, w.root.GetAccessKeyLastUsed, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &w.rootKey.ID})
			if out.UserName != nil || *out.AccessKeyLastUsed.ServiceName != "iam" {
				t.Errorf("%+v", out)
			}
		})
		t.Run("of another account", func(t *testing.T) {
			other := w.newAccount(t, identity.AccountSpec{})
			refused(t, w.root.GetAccessKeyLastUsed, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &other.ID}, 403,
				"AccessDenied",
				"User: "+rootARN+" is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key "+
					other.ID)
		})
	})
}

func TestSTS(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "ann")
	id := must(t, w.root.GetUser, &iam.GetUserInput{UserName: ptr("ann")}).User
	same(t, must(t, w.root.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}),
		&sts.GetCallerIdentityOutput{Account: ptr(account), Arn: ptr(rootARN), UserId: ptr(account)})
	same(t, must(t, ann.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}),
		&sts.GetCallerIdentityOutput{Account: ptr(account), Arn: id.Arn, UserId: id.UserId})

	key := func(id string) *sts.GetAccessKeyInfoInput { return &sts.GetAccessKeyInfoInput{AccessKeyId: &id} }
	same(t, must(t, w.root.sts.GetAccessKeyInfo, key(ann.id)),
		&sts.GetAccessKeyInfoOutput{Account: aws.String(account)})
	other := w.newAccount(t, identity.AccountSpec{ID: "999999999999"})
	same(t, must(t, w.root.sts.GetAccessKeyInfo, key(other.ID)),
		&sts.GetAccessKeyInfoOutput{Account: ptr("999999999999")})
	// Ids that contain no account number: one of no key, and one of an
	// emulator's key.
	refused(t, w.root.sts.GetAccessKeyInfo, key("notanaccesskeyid"), 400, "ValidationError",
		"Access key notanaccesskeyid is not valid.")
}

// The operator may choose the id and the secret of a key.
func TestGivenRootKey(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	key := w.newAccount(t,
		identity.AccountSpec{ID: "000000000000", RootKeyID: "emulator_root_key", RootSecret: w.rootKey.Secret})
	c := w.as(key.ID, key.Secret.Reveal())
	same(t, must(t, c.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}).Account, ptr("000000000000"))
	same(t, must(t, c.sts.GetAccessKeyInfo, &sts.GetAccessKeyInfoInput{AccessKeyId: &key.ID}).Account,
		ptr("000000000000"))
}

// With IAM's own rule only the first use within 15 minutes is recorded.
func TestUseSpan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service.Config{Store: store.Config{UseSpan: 15 * time.Minute}})
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	at := began
	for _, c := range []struct{ passed, want time.Duration }{
		{0, 0}, {14 * time.Minute, 0}, {59 * time.Second, 0}, {time.Second, 15 * time.Minute},
		{10 * time.Minute, 15 * time.Minute}, {5 * time.Minute, 30 * time.Minute},
	} {
		w.clock.advance(c.passed)
		at = at.Add(c.passed)
		must(t, ann.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
		got := must(t, w.root.GetAccessKeyLastUsed,
			&iam.GetAccessKeyLastUsedInput{AccessKeyId: &ann.id}).AccessKeyLastUsed.LastUsedDate
		if !got.Equal(began.Add(c.want)) {
			t.Errorf("used at %v, recorded %v", at, got)
		}
	}
}

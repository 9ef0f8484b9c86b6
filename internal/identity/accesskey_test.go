package identity_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"rollcall/internal/awsmodel"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

func TestCreateAccessKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Alice")
		t.Run("named user", func(t *testing.T) {
			k := must(t, w.root, w.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: ptr("ALICE")}).AccessKey
			if *k.UserName != "Alice" || k.Status != types.StatusTypeActive || !k.CreateDate.Equal(began) {
				t.Errorf("key of %s, %s, %s", *k.UserName, k.Status, k.CreateDate)
			}
			if got, ok := seal.AccountOfKeyID(*k.AccessKeyId); !ok || got != account ||
				!strings.HasPrefix(*k.AccessKeyId, "AKIA") {
				t.Errorf("id %s", *k.AccessKeyId)
			}
			if len(*k.SecretAccessKey) != 40 {
				t.Errorf("a secret of %d characters", len(*k.SecretAccessKey))
			}
			if c := principal.Of(w.as(t, *k.AccessKeyId, *k.SecretAccessKey)); c.UserName() != "Alice" {
				t.Errorf("the key signs for %s", c.ARN())
			}
		})
		t.Run("caller", func(t *testing.T) {
			alice := w.asUser(t, "Alice")
			refused(t, alice, w.CreateAccessKey, &iam.CreateAccessKeyInput{}, 409, "LimitExceeded",
				"Cannot exceed quota for AccessKeysPerUser: 2")
		})
		t.Run("inactive keys count", func(t *testing.T) {
			for _, k := range must(t, w.root, w.ListAccessKeys,
				&iam.ListAccessKeysInput{UserName: ptr("Alice")}).AccessKeyMetadata {
				must(t, w.root, w.UpdateAccessKey,
					&iam.UpdateAccessKeyInput{UserName: ptr("Alice"), AccessKeyId: k.AccessKeyId,
						Status: types.StatusTypeInactive})
			}
			refused(t, w.root, w.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: ptr("Alice")}, 409,
				"LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
		})
		t.Run("higher limit of the account", func(t *testing.T) {
			if err := w.SetLimits(t.Context(), account, map[string]int{"AccessKeysPerUser": 3}); err != nil {
				t.Fatal(err)
			}
			must(t, w.root, w.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: ptr("Alice")})
			refused(t, w.root, w.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: ptr("Alice")}, 409,
				"LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 3")
		})
		t.Run("root for itself", func(t *testing.T) {
			k := must(t, w.root, w.CreateAccessKey, &iam.CreateAccessKeyInput{}).AccessKey
			if k.UserName != nil {
				t.Errorf("root is called %q", *k.UserName)
			}
			if c := principal.Of(w.as(t, *k.AccessKeyId, *k.SecretAccessKey)); !c.IsRoot() {
				t.Errorf("the key signs for %s", c.ARN())
			}
		})
		t.Run("no such user", func(t *testing.T) {
			refused(t, w.root, w.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: ptr("nonexistent-user")},
				404, "NoSuchEntity", "The user with name nonexistent-user cannot be found.")
		})
	})
}

// The database alone does not reveal a secret. A secret that was moved to the
// row of another key does not open.
func TestAccessKeySecretAtRest(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "alice")
		k := must(t, w.root, w.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: ptr("alice")}).AccessKey
		var root, alice store.AccessKey
		err := w.db.View(t.Context(), func(tx *store.Tx) (err error) {
			root, err = tx.AccessKey(w.rootKey.ID)
			if err == nil {
				alice, err = tx.AccessKey(*k.AccessKeyId)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(alice.Secret), *k.SecretAccessKey) {
			t.Error("the secret is stored in clear")
		}
		err = w.db.Update(t.Context(), func(tx *store.Tx) error {
			root.Secret = alice.Secret
			return errors.Join(tx.DeleteCredential(store.AccessKeyCredential, account, "", root.ID),
				tx.InsertAccessKey(root))
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.verify(t, root.ID, *k.SecretAccessKey); err == nil {
			t.Error("alice's secret signs for root")
		}
	})
}

func TestUpdateAccessKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "alice")
		w.user(t, "bob")
		k := must(t, w.root, w.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: ptr("alice")}).AccessKey
		set := func(name *string, id string, status types.StatusType) *iam.UpdateAccessKeyInput {
			return &iam.UpdateAccessKeyInput{UserName: name, AccessKeyId: &id, Status: status}
		}
		t.Run("inactive fails on the next request", func(t *testing.T) {
			alice := w.as(t, *k.AccessKeyId, *k.SecretAccessKey)
			must(t, alice, w.UpdateAccessKey, set(nil, *k.AccessKeyId, types.StatusTypeInactive))
			_, err := w.verify(t, *k.AccessKeyId, *k.SecretAccessKey)
			wantRefusal(t, err, 403, "InvalidClientTokenId", "The security token included in the request is invalid.")
		})
		t.Run("active again", func(t *testing.T) {
			w.clock.advance(time.Hour)
			must(t, w.root, w.UpdateAccessKey, set(ptr("Alice"), *k.AccessKeyId, types.StatusTypeActive))
			if _, err := w.verify(t, *k.AccessKeyId, *k.SecretAccessKey); err != nil {
				t.Error(err)
			}
			got := must(t, w.root, w.ListAccessKeys,
				&iam.ListAccessKeysInput{UserName: ptr("alice")}).AccessKeyMetadata[0]
			if !got.CreateDate.Equal(began) {
				t.Errorf("the date moved to %s", got.CreateDate)
			}
		})
		t.Run("expired", func(t *testing.T) {
			refused(t, w.root, w.UpdateAccessKey, set(ptr("alice"), *k.AccessKeyId, types.StatusTypeExpired),
				400, "InvalidInput", "Operation does not support status Expired")
		})
		t.Run("unknown key", func(t *testing.T) {
			refused(t, w.root, w.UpdateAccessKey, set(ptr("alice"), "AKIAIOSFODNN7EXAMPLE", types.StatusTypeActive),
				404, "NoSuchEntity", "The Access Key with id AKIAIOSFODNN7EXAMPLE cannot be found.")
		})
		t.Run("key of another user", func(t *testing.T) {
			refused(t, w.root, w.UpdateAccessKey, set(ptr("bob"), *k.AccessKeyId, types.StatusTypeInactive),
				404, "NoSuchEntity", "The Access Key with id "+*k.AccessKeyId+" cannot be found.")
			if _, err := w.verify(t, *k.AccessKeyId, *k.SecretAccessKey); err != nil {
				t.Error(err)
			}
		})
		t.Run("no such user", func(t *testing.T) {
			refused(t, w.root, w.UpdateAccessKey, set(ptr("nobody"), *k.AccessKeyId, types.StatusTypeInactive),
				404, "NoSuchEntity", "The user with name nobody cannot be found.")
		})
	})
}

func TestDeleteAccessKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "alice")
		w.user(t, "bob")
		k := must(t, w.root, w.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: ptr("alice")}).AccessKey
		missing := "The Access Key with id " + *k.AccessKeyId + " cannot be found."
		refused(t, w.root, w.DeleteAccessKey,
			&iam.DeleteAccessKeyInput{UserName: ptr("bob"), AccessKeyId: k.AccessKeyId}, 404, "NoSuchEntity", missing)
		refused(t, w.root, w.DeleteAccessKey, &iam.DeleteAccessKeyInput{AccessKeyId: k.AccessKeyId},
			404, "NoSuchEntity", missing)
		refused(t, w.root, w.DeleteAccessKey,
			&iam.DeleteAccessKeyInput{UserName: ptr("nobody"), AccessKeyId: k.AccessKeyId},
			404, "NoSuchEntity", "The user with name nobody cannot be found.")
		alice := w.as(t, *k.AccessKeyId, *k.SecretAccessKey)
		must(t, alice, w.DeleteAccessKey, &iam.DeleteAccessKeyInput{AccessKeyId: k.AccessKeyId})
		_, err := w.verify(t, *k.AccessKeyId, *k.SecretAccessKey)
		wantRefusal(t, err, 403, "InvalidClientTokenId", "The security token included in the request is invalid.")
		refused(t, w.root, w.DeleteAccessKey,
			&iam.DeleteAccessKeyInput{UserName: ptr("alice"), AccessKeyId: k.AccessKeyId}, 404, "NoSuchEntity", missing)
	})
}

func TestListAccessKeys(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Alice")
		if err := w.SetLimits(t.Context(), account, map[string]int{"AccessKeysPerUser": 7}); err != nil {
			t.Fatal(err)
		}
		t.Run("none", func(t *testing.T) {
			out := must(t, w.root, w.ListAccessKeys, &iam.ListAccessKeysInput{UserName: ptr("alice")})
			if out.AccessKeyMetadata == nil || len(out.AccessKeyMetadata) > 0 || out.IsTruncated || out.Marker != nil {
				t.Errorf("%+v", out)
			}
		})
		var want []string
		for range 7 {
			want = append(want,
				*must(t, w.root, w.CreateAccessKey,
					&iam.CreateAccessKeyInput{UserName: ptr("alice")}).AccessKey.AccessKeyId)
		}
		slices.Sort(want)
		t.Run("pages of changing size", func(t *testing.T) {
			var got []string
			in := &iam.ListAccessKeysInput{UserName: ptr("alice")}
			for _, size := range []int32{1, 2, 3, 4} {
				in.MaxItems = ptr(size)
				out := must(t, w.root, w.ListAccessKeys, in)
				for _, k := range out.AccessKeyMetadata {
					if *k.UserName != "Alice" || k.Status != types.StatusTypeActive {
						t.Errorf("%s is %s's and %s", *k.AccessKeyId, *k.UserName, k.Status)
					}
					got = append(got, *k.AccessKeyId)
				}
				if out.IsTruncated != (out.Marker != nil) || out.IsTruncated != (len(got) < 7) {
					t.Errorf("after %d keys: truncated %v, marker %v", len(got), out.IsTruncated, out.Marker != nil)
				}
				in.Marker = out.Marker
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
		t.Run("marker of another user", func(t *testing.T) {
			w.user(t, "bob")
			marker := must(t, w.root, w.ListAccessKeys,
				&iam.ListAccessKeysInput{UserName: ptr("alice"), MaxItems: ptr(int32(1))}).Marker
			refused(t, w.root, w.ListAccessKeys, &iam.ListAccessKeysInput{UserName: ptr("bob"), Marker: marker}, 400,
				"ValidationError", "Invalid Marker.")
		})
		t.Run("root's own", func(t *testing.T) {
			got := must(t, w.root, w.ListAccessKeys, &iam.ListAccessKeysInput{}).AccessKeyMetadata
			if len(got) != 1 || *got[0].AccessKeyId != w.rootKey.ID || got[0].UserName != nil {
				t.Errorf("%+v", got)
			}
		})
		t.Run("no such user", func(t *testing.T) {
			refused(t, w.root, w.ListAccessKeys, &iam.ListAccessKeysInput{UserName: ptr("nobody")}, 404, "NoSuchEntity",
				"The user with name nobody cannot be found.")
		})
	})
}

func TestGetAccessKeyLastUsed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Alice")
		id := *must(t, w.root, w.CreateAccessKey,
			&iam.CreateAccessKeyInput{UserName: ptr("alice")}).AccessKey.AccessKeyId
		in := &iam.GetAccessKeyLastUsedInput{AccessKeyId: &id}
		t.Run("never", func(t *testing.T) {
			out := must(t, w.root, w.GetAccessKeyLastUsed, in)
			if *out.UserName != "Alice" || *out.AccessKeyLastUsed.ServiceName != "N/A" ||
				*out.AccessKeyLastUsed.Region != "N/A" || out.AccessKeyLastUsed.LastUsedDate != nil {
				t.Errorf("%s %+v", *out.UserName, out.AccessKeyLastUsed)
			}
		})
		t.Run("a moment ago", func(t *testing.T) {
			at := began.Add(90 * time.Second)
			w.db.KeyUsed(id, store.LastUsed{At: at, Region: "eu-west-1", Service: "sts"})
			used := must(t, w.root, w.GetAccessKeyLastUsed, in).AccessKeyLastUsed
			if *used.ServiceName != "sts" || *used.Region != "eu-west-1" || used.LastUsedDate == nil ||
				!used.LastUsedDate.Equal(at) {
				t.Errorf("%+v", used)
			}
		})
		t.Run("root's", func(t *testing.T) {
			if out := must(t, w.root, w.GetAccessKeyLastUsed,
				&iam.GetAccessKeyLastUsedInput{AccessKeyId: &w.rootKey.ID}); out.UserName != nil {
				t.Errorf("root is called %q", *out.UserName)
			}
		})
		denied := func(id string) string {
			return "User: arn:aws:iam::123456789012:root is not authorized to perform iam:GetAccessKeyLastUsed on " +
				"resource: access key " + id
		}
		t.Run("unknown key", func(t *testing.T) {
			refused(t, w.root, w.GetAccessKeyLastUsed,
				&iam.GetAccessKeyLastUsedInput{AccessKeyId: ptr("AKIAIOSFODNN7EXAMPLE")},
				403, "AccessDenied", denied("AKIAIOSFODNN7EXAMPLE"))
		})
		t.Run("key of another account", func(t *testing.T) {
			other := w.newAccount(t, "222222222222").ID
			refused(t, w.root, w.GetAccessKeyLastUsed, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &other}, 403,
				"AccessDenied", denied(other))
		})
	})
}

// The quota holds when many callers create keys at once.
func TestCreateAccessKeyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "alice")
		results := make(chan error)
		for range 8 {
			go func() {
				_, err := w.CreateAccessKey(w.root, &iam.CreateAccessKeyInput{UserName: ptr("alice")})
				results <- err
			}()
		}
		made := 0
		for range 8 {
			err := <-results
			var refusal *awsmodel.Error
			switch {
			case err == nil:
				made++
			case !errors.As(err, &refusal) || refusal.Code != "LimitExceeded":
				t.Error(err)
			}
		}
		if made != 2 {
			t.Errorf("%d keys were created", made)
		}
	})
}

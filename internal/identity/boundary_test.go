package identity_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/identity"
	"rollcall/internal/store"
)

func TestPermissionsBoundary(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		own := w.policy(t, "/b/", "bounds")
		w.entities(t)
		name := ptr("worker")
		for kind, b := range map[store.Entity]struct {
			put    func(arn string) error
			remove func() error
		}{
			store.UserEntity: {func(arn string) error {
				_, err := call(w.root, w.PutUserPermissionsBoundary,
					&iam.PutUserPermissionsBoundaryInput{UserName: name, PermissionsBoundary: &arn})
				return err
			}, func() error {
				_, err := call(w.root, w.DeleteUserPermissionsBoundary,
					&iam.DeleteUserPermissionsBoundaryInput{UserName: name})
				return err
			}},
			store.RoleEntity: {func(arn string) error {
				_, err := call(w.root, w.PutRolePermissionsBoundary,
					&iam.PutRolePermissionsBoundaryInput{RoleName: name, PermissionsBoundary: &arn})
				return err
			}, func() error {
				_, err := call(w.root, w.DeleteRolePermissionsBoundary,
					&iam.DeleteRolePermissionsBoundaryInput{RoleName: name})
				return err
			}},
		} {
			bound := func(want string) {
				t.Helper()
				var got string
				done(t, w.db.View(t.Context(), func(tx *store.Tx) (err error) {
					got, err = tx.Boundary(kind, account, "worker")
					return err
				}))
				if got != want {
					t.Errorf("%s is bound by %q, want %q", kind, got, want)
				}
			}
			bound("")
			none := "The " + string(kind) + " with name Worker does not have a permissions boundary."
			wantRefusal(t, b.remove(), 404, "NoSuchEntity", none)
			done(t, b.put(administrator))
			bound(administrator)
			done(t, b.put(own))
			bound(own)
			for arn, code := range map[string]string{
				policyARN + "/nonexistent-policy":                     "NoSuchEntity",
				"arn:aws:iam::" + account + ":not_a_policy/invalid":   "InvalidInput",
				"arn:aws-cn:iam::aws:policy/AdministratorAccess":      "NoSuchEntity",
				"arn:aws:iam::222222222222:policy/of-another-account": "NoSuchEntity",
			} {
				if code == "InvalidInput" {
					wantRefusal(t, b.put(arn), 400, code, "ARN "+arn+" is not valid.")
				} else {
					wantRefusal(t, b.put(arn), 404, code, "Scope ARN: "+arn+" does not exist or is not attachable.")
				}
			}
			bound(own)
			done(t, b.remove())
			bound("")
			wantRefusal(t, b.remove(), 404, "NoSuchEntity", none)
		}
		name = ptr("nobody")
		refused(t, w.root, w.PutUserPermissionsBoundary,
			&iam.PutUserPermissionsBoundaryInput{UserName: name, PermissionsBoundary: &own}, 404, "NoSuchEntity",
			"The user with name nobody cannot be found.")
		refused(t, w.root, w.DeleteUserPermissionsBoundary, &iam.DeleteUserPermissionsBoundaryInput{UserName: name},
			404, "NoSuchEntity", "The user with name nobody cannot be found.")
		refused(t, w.root, w.PutRolePermissionsBoundary,
			&iam.PutRolePermissionsBoundaryInput{RoleName: name, PermissionsBoundary: &own}, 404, "NoSuchEntity",
			"The role with name nobody cannot be found.")
		refused(t, w.root, w.DeleteRolePermissionsBoundary, &iam.DeleteRolePermissionsBoundaryInput{RoleName: name},
			404, "NoSuchEntity", "The role with name nobody cannot be found.")
	})
}

// CreateUser and GetUser return the boundary. Lists do not.
func TestBoundaryIsShown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		want := &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: ptr(administrator),
			PermissionsBoundaryType: "Policy"}
		sameOut(t, must(t, w.root, w.CreateUser,
			&iam.CreateUserInput{UserName: ptr("alice"),
				PermissionsBoundary: ptr(administrator)}).User.PermissionsBoundary, want)
		must(t, w.root, w.UpdateUser, &iam.UpdateUserInput{UserName: ptr("alice"), NewUserName: ptr("bob")})
		sameOut(t, must(t, w.root, w.GetUser, &iam.GetUserInput{UserName: ptr("bob")}).User.PermissionsBoundary, want)
		w.group(t, "devs")
		w.join(t, "bob", "devs")
		for _, u := range append(must(t, w.root, w.ListUsers, &identity.ListUsersInput{}).Users,
			must(t, w.root, w.GetGroup, &iam.GetGroupInput{GroupName: ptr("devs")}).Users...) {
			if u.PermissionsBoundary != nil {
				t.Errorf("%+v", u)
			}
		}
		must(t, w.root, w.DeleteUserPermissionsBoundary, &iam.DeleteUserPermissionsBoundaryInput{UserName: ptr("bob")})
		if u := must(t, w.root, w.GetUser, &iam.GetUserInput{UserName: ptr("bob")}).User; u.PermissionsBoundary != nil {
			t.Errorf("%+v", u)
		}
		refused(t, w.root, w.CreateUser,
			&iam.CreateUserInput{UserName: ptr("carol"), PermissionsBoundary: ptr(policyARN + "/nonexistent")},
			404, "NoSuchEntity", "Scope ARN: "+policyARN+"/nonexistent does not exist or is not attachable.")
		refused(t, w.root, w.GetUser, &iam.GetUserInput{UserName: ptr("carol")}, 404, "NoSuchEntity",
			"The user with name carol cannot be found.")
	})
}

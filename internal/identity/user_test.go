package identity_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// ListUsers and GetUser say when a password was used last; no other answer
// with users does. IAM User.
func TestPasswordLastUsedIsShown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, name := range []string{"alice", "Bob", "carol"} {
			must(t, w.root, w.CreateUser, &iam.CreateUserInput{UserName: &name, Path: ptr("/p/")})
		}
		w.group(t, "devs")
		w.join(t, "bob", "devs")
		at := began.Add(time.Minute)
		w.db.PasswordUsed(account, "bob", at)
		if err := w.db.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		used := func(users []types.User) (found []string) {
			for _, u := range users {
				if u.PasswordLastUsed != nil {
					found = append(found, *u.UserName+" "+u.PasswordLastUsed.Format(time.RFC3339))
				}
			}
			return found
		}
		want := "Bob " + at.Format(time.RFC3339)
		for _, in := range []iam.ListUsersInput{{}, {PathPrefix: ptr("/p/")}, {MaxItems: ptr[int32](2)}} {
			if got := used(must(t, w.root, w.ListUsers, &in).Users); len(got) != 1 || got[0] != want {
				t.Errorf("%+v: %q", in, got)
			}
		}
		shown := must(t, w.root, w.GetUser, &iam.GetUserInput{UserName: ptr("bob")}).User
		if got := used([]types.User{*shown}); len(got) != 1 || got[0] != want {
			t.Errorf("%q", got)
		}
		if got := used(must(t, w.root, w.GetGroup, &iam.GetGroupInput{GroupName: ptr("devs")}).Users); got != nil {
			t.Errorf("GetGroup: %q", got)
		}
	})
}

package identity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/identity"
)

// ListUsers and GetUser return the last use of a password. No other answer with
// users does. IAM User.
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
		for _, in := range []identity.ListUsersInput{{}, {PathPrefix: ptr("/p/")}, {MaxItems: ptr[int32](2)}} {
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

// TestListUsersByName lists users by a prefix of their names, page by page.
func TestListUsersByName(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, name := range []string{"ann", "Annie", "bob", "Bob2", "=bo", "b.", "b_x", "B-1"} {
			must(t, w.root, w.CreateUser, &iam.CreateUserInput{UserName: &name})
		}
		for prefix, want := range map[string]string{
			"": "=bo ann Annie B-1 b. b_x bob Bob2", "ANN": "ann Annie", "b": "B-1 b. b_x bob Bob2", "bob2": "Bob2", "=": "=bo",
			"bob22": "", "_": "",
		} {
			var found []string
			in := &identity.ListUsersInput{MaxItems: ptr[int32](1), Rollcall: &identity.NameSearch{NamePrefix: &prefix}}
			for {
				out := must(t, w.root, w.ListUsers, in)
				for _, u := range out.Users {
					found = append(found, *u.UserName)
				}
				if in.Marker = out.Marker; in.Marker == nil {
					break
				}
				if _, err := call(w.root, w.ListUsers, &identity.ListUsersInput{Marker: in.Marker}); prefix != "" && err == nil {
					t.Errorf("a marker of names with %q continues all of them", prefix)
				}
			}
			if got := strings.Join(found, " "); got != want {
				t.Errorf("%q finds %q, want %q", prefix, got, want)
			}
		}
		bad := &identity.ListUsersInput{Rollcall: &identity.NameSearch{NamePrefix: ptr("a%")}}
		if _, err := call(w.root, w.ListUsers, bad); err == nil {
			t.Error("a prefix that no name has is taken")
		}
	})
}

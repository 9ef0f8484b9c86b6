package service_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

var userID = regexp.MustCompile(`^AIDA[A-Z2-7]{17}$`)

func TestUsers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := must(t, w.root.CreateUser, &iam.CreateUserInput{
			UserName: ptr("Ada"), Path: ptr("/eng/a//b/"), Tags: []types.Tag{{Key: ptr("Team"), Value: ptr("")}},
		}).User
		if !userID.MatchString(*ada.UserId) {
			t.Errorf("user id %s", *ada.UserId)
		}
		want := types.User{
			UserName: ptr("Ada"), Path: ptr("/eng/a//b/"), UserId: ada.UserId, CreateDate: ptr(began),
			Arn:  ptr("arn:aws:iam::" + account + ":user/eng/a//b/Ada"),
			Tags: []types.Tag{{Key: ptr("Team"), Value: ptr("")}},
		}
		same(t, *ada, want)
		same(t, *must(t, w.root.GetUser, &iam.GetUserInput{UserName: ptr("aDA")}).User, want)

		w.clock.advance(time.Hour)
		w.user(t, "bob")
		t.Run("list", func(t *testing.T) {
			want := want
			want.Tags = nil // lists omit it
			bob := must(t, w.root.GetUser, &iam.GetUserInput{UserName: ptr("bob")}).User
			out := must(t, w.root.ListUsers, &iam.ListUsersInput{})
			same(t, out, &iam.ListUsersOutput{Users: []types.User{want, *bob}})
			out = must(t, w.root.ListUsers, &iam.ListUsersInput{PathPrefix: ptr("/en")})
			same(t, out, &iam.ListUsersOutput{Users: []types.User{want}})
			out = must(t, w.root.ListUsers, &iam.ListUsersInput{PathPrefix: ptr("/nobody/")})
			same(t, out, &iam.ListUsersOutput{Users: []types.User{}})
		})
		t.Run("exists in other case", func(t *testing.T) {
			refused(t, w.root.CreateUser, &iam.CreateUserInput{UserName: ptr("BOB")}, 409, "EntityAlreadyExists",
				"User with name BOB already exists.")
		})
		t.Run("rename", func(t *testing.T) {
			refused(t, w.root.UpdateUser, &iam.UpdateUserInput{UserName: ptr("ada"), NewUserName: ptr("Bob")},
				409, "EntityAlreadyExists", "User with name Bob already exists.")
			must(t, w.root.UpdateUser,
				&iam.UpdateUserInput{UserName: ptr("ada"), NewUserName: ptr("ADA"), NewPath: ptr("/")})
			must(t, w.root.UpdateUser, &iam.UpdateUserInput{UserName: ptr("ada"), NewUserName: ptr("Lovelace")})
			refused(t, w.root.GetUser, &iam.GetUserInput{UserName: ptr("Ada")}, 404, "NoSuchEntity",
				"The user with name Ada cannot be found.")
			got := must(t, w.root.GetUser, &iam.GetUserInput{UserName: ptr("lovelace")}).User
			want.UserName, want.Path, want.Arn = ptr("Lovelace"), ptr("/"),
				ptr("arn:aws:iam::"+account+":user/Lovelace")
			same(t, *got, want)
		})
		t.Run("delete", func(t *testing.T) {
			must(t, w.root.DeleteUser, &iam.DeleteUserInput{UserName: ptr("LOVELACE")})
			refused(t, w.root.DeleteUser, &iam.DeleteUserInput{UserName: ptr("Lovelace")}, 404, "NoSuchEntity",
				"The user with name Lovelace cannot be found.")
			w.user(t, "Lovelace") // the name is available again, for another user
			again := must(t, w.root.GetUser, &iam.GetUserInput{UserName: ptr("Lovelace")}).User
			if *again.UserId == *ada.UserId || again.Tags != nil {
				t.Errorf("a new user has the old one's id or tags: %+v", again)
			}
		})
	})
}

// A boundary that would not apply is refused rather than ignored. Lists omit
// boundaries.
func TestCreateUserWithBoundary(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	name := ptr("bounded")
	for arn, want := range map[string]failure{
		"arn:aws:iam::aws:policy/NoSuchAccess": {404, "NoSuchEntity",
			"Scope ARN: arn:aws:iam::aws:policy/NoSuchAccess does not exist or is not attachable."},
		"arn:aws:iam::" + account + ":policy/p/Boundary": {404, "NoSuchEntity",
			"Scope ARN: arn:aws:iam::" + account + ":policy/p/Boundary does not exist or is not attachable."},
		"arn:aws:iam::" + account +
			":not_a_policy/p": {400, "InvalidInput", "ARN arn:aws:iam::" + account + ":not_a_policy/p is not valid."},
	} {
		refused(t, w.root.CreateUser, &iam.CreateUserInput{UserName: name, PermissionsBoundary: &arn},
			want.status, want.code, want.message)
	}
	refused(t, w.root.GetUser, &iam.GetUserInput{UserName: name}, 404, "NoSuchEntity",
		"The user with name bounded cannot be found.")

	bounds := &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: ptr(readOnly),
		PermissionsBoundaryType: "Policy"}
	same(t, must(t, w.root.CreateUser,
		&iam.CreateUserInput{UserName: name, PermissionsBoundary: ptr(readOnly)}).User.PermissionsBoundary, bounds)
	same(t, must(t, w.root.GetUser, &iam.GetUserInput{UserName: name}).User.PermissionsBoundary, bounds)
	if listed := must(t, w.root.ListUsers, &iam.ListUsersInput{}).Users[0]; listed.PermissionsBoundary != nil {
		t.Errorf("%+v", listed)
	}
	must(t, w.root.DeleteUser, &iam.DeleteUserInput{UserName: name})
}

// Root is a user without a name or a path.
func TestGetUserOfCaller(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	same(t, *must(t, w.root.GetUser, &iam.GetUserInput{}).User, types.User{
		UserId: ptr(account), Arn: ptr(rootARN), CreateDate: ptr(began),
	})
}

func TestUserNames(t *testing.T) {
	t.Parallel()
	const badName = "The specified value for userName is invalid. It must contain only alphanumeric characters " +
		"and/or the following: +=,.@_-"
	const badPath = "The specified value for path is invalid. It must begin and end with / and contain only " +
		"alphanumeric characters and/or / characters."
	w := inMemory(t)
	for _, name := range []string{"=1+1", "a,b", "@SUM(1)"[:4], "-x", "+x", "a.b_c", strings.Repeat("n", 64)} {
		created := must(t, w.root.CreateUser, &iam.CreateUserInput{UserName: &name}).User
		same(t, *must(t, w.root.GetUser, &iam.GetUserInput{UserName: &name}).User, *created)
	}
	before := len(must(t, w.root.ListUsers, &iam.ListUsersInput{}).Users)
	for name, c := range map[string]struct {
		in      iam.CreateUserInput
		message string
	}{
		"accent":     {iam.CreateUserInput{UserName: ptr("é")}, badName},
		"homoglyph":  {iam.CreateUserInput{UserName: ptr("аdmin")}, badName},
		"full width": {iam.CreateUserInput{UserName: ptr("ａ")}, badName},
		"newline":    {iam.CreateUserInput{UserName: ptr("a\n")}, badName},
		"slash":      {iam.CreateUserInput{UserName: ptr("a/b")}, badName},
		"quote":      {iam.CreateUserInput{UserName: ptr(`a"b`)}, badName},
		"blank":      {iam.CreateUserInput{UserName: ptr("a b")}, badName},
		"zero byte":  {iam.CreateUserInput{UserName: ptr("a\x00")}, badName},
		"too long": {iam.CreateUserInput{UserName: ptr(strings.Repeat("n", 65))},
			"1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must have length " +
				"less than or equal to 64"},
		"empty": {iam.CreateUserInput{UserName: ptr("")},
			"1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must have length " +
				"greater than or equal to 1"},
		"open path":     {iam.CreateUserInput{UserName: ptr("u"), Path: ptr("/a")}, badPath},
		"relative path": {iam.CreateUserInput{UserName: ptr("u"), Path: ptr("a/")}, badPath},
		"blank in path": {iam.CreateUserInput{UserName: ptr("u"), Path: ptr("/a b/")}, badPath},
		"accent path":   {iam.CreateUserInput{UserName: ptr("u"), Path: ptr("/é/")}, badPath},
		"DEL in path":   {iam.CreateUserInput{UserName: ptr("u"), Path: ptr("/\x7f/")}, badPath},
		"// alone":      {iam.CreateUserInput{UserName: ptr("u"), Path: ptr("//")}, badPath},
		"newline path":  {iam.CreateUserInput{UserName: ptr("u"), Path: ptr("/a\n/")}, badPath},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, w.root.CreateUser, &c.in, 400, "ValidationError", c.message)
		})
	}
	t.Run("no name", func(t *testing.T) {
		_, err := w.root.CreateUser(t.Context(), &iam.CreateUserInput{}, unchecked)
		want := failure{400, "ValidationError",
			"1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must not be null"}
		if got := failureOf(err); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
	t.Run("bad prefix", func(t *testing.T) {
		refused(t, w.root.ListUsers, &iam.ListUsersInput{PathPrefix: ptr("x")}, 400, "ValidationError",
			"The specified value for pathPrefix is invalid. It must begin with the / character and contain only "+
				"alphanumeric characters and/or / characters.")
	})
	if after := len(must(t, w.root.ListUsers, &iam.ListUsersInput{}).Users); after != before {
		t.Errorf("%d users after refused calls, %d before", after, before)
	}
}

func TestUsersPerAccount(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	if err := w.IAM.SetLimits(t.Context(), account, map[string]int{"UsersPerAccount": 1}); err != nil {
		t.Fatal(err)
	}
	w.user(t, "first")
	refused(t, w.root.CreateUser, &iam.CreateUserInput{UserName: ptr("second")}, 409, "LimitExceeded",
		"Cannot exceed quota for UsersPerAccount: 1")
	must(t, w.root.DeleteUser, &iam.DeleteUserInput{UserName: ptr("first")})
	w.user(t, "second")
}

func tags(pairs ...string) (all []types.Tag) {
	for pair := range slices.Chunk(pairs, 2) {
		all = append(all, types.Tag{Key: &pair[0], Value: &pair[1]})
	}
	return all
}

func manyTags(from, n int) (all []types.Tag) {
	for i := range n {
		all = append(all, tags(fmt.Sprintf("key-%02d", from+i), "v")...)
	}
	return all
}

func TestUserTags(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "u")
		tag := func(all []types.Tag) *iam.TagUserInput { return &iam.TagUserInput{UserName: ptr("U"), Tags: all} }
		list := func() *iam.ListUserTagsOutput {
			return must(t, w.root.ListUserTags, &iam.ListUserTagsInput{UserName: ptr("u")})
		}
		same(t, list(), &iam.ListUserTagsOutput{Tags: []types.Tag{}})
		must(t, w.root.TagUser, tag(tags("Team", "a", "cost", "1")))
		must(t, w.root.TagUser, tag(tags("TEAM", "b"))) // replaces the tag, with the new spelling
		same(t, list(), &iam.ListUserTagsOutput{Tags: tags("TEAM", "b", "cost", "1")})
		t.Run("refused", func(t *testing.T) {
			refused(t, w.root.TagUser, tag(tags("x", "1", "X", "2")), 400, "InvalidInput",
				"Duplicate tag keys found. Please note that Tag keys are case insensitive.")
			refused(t, w.root.TagUser, tag(tags("AWS:x", "1")), 400, "InvalidInput",
				"Tag keys beginning with aws: are reserved for system use.")
			refused(t, w.root.TagUser, tag([]types.Tag{}), 400, "InvalidInput",
				"Error occurred while validating input. ")
			refused(t, w.root.TagUser, tag(manyTags(0, 51)), 400, "ValidationError",
				"1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length "+
					"less than or equal to 50")
			refused(t, w.root.TagUser, tag(manyTags(0, 49)), 409, "LimitExceeded",
				"The number of tags has reached the maximum limit.")
			refused(t, w.root.TagUser, tag(tags(strings.Repeat("k", 129), "")), 400, "ValidationError",
				"1 validation error detected: Value at 'tags.1.member.key' failed to satisfy constraint: Member must "+
					"have length less than or equal to 128")
			refused(t, w.root.TagUser, tag(tags("k", strings.Repeat("v", 257))), 400, "ValidationError",
				"1 validation error detected: Value at 'tags.1.member.value' failed to satisfy constraint: Member "+
					"must have length less than or equal to 256")
			refused(t, w.root.TagUser, tag(tags("k*", "")), 400, "ValidationError",
				`1 validation error detected: Value at 'tags.1.member.key' failed to satisfy constraint: Member must `+
					`satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+`)
			same(t, list(), &iam.ListUserTagsOutput{Tags: tags("TEAM", "b", "cost", "1")})
		})
		t.Run("untag", func(t *testing.T) {
			untag := func(keys ...string) *iam.UntagUserInput {
				return &iam.UntagUserInput{UserName: ptr("u"), TagKeys: keys}
			}
			must(t, w.root.UntagUser, untag("absent", "aws:x", "team"))
			must(t, w.root.UntagUser, untag([]string{}...))
			same(t, list(), &iam.ListUserTagsOutput{Tags: tags("cost", "1")})
			refused(t, w.root.UntagUser, untag(make([]string, 51)...), 400, "ValidationError",
				"1 validation error detected: Value at 'tagKeys' failed to satisfy constraint: Member must have "+
					"length less than or equal to 50")
		})
		t.Run("fifty", func(t *testing.T) {
			must(t, w.root.TagUser, tag(manyTags(0, 49)))
			must(t, w.root.TagUser, tag(tags("COST", "2"))) // replacing a tag does not add one
			refused(t, w.root.TagUser, tag(tags("one", "more")), 409, "LimitExceeded",
				"The number of tags has reached the maximum limit.")
			if n := len(list().Tags); n != 50 {
				t.Errorf("%d tags", n)
			}
		})
	})
}

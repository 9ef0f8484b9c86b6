package identity

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// CreateUser adds a user. Names are unique without regard to case and keep
// their spelling.
func (s *Service) CreateUser(ctx context.Context, in *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
	c := principal.Of(ctx)
	tags, err := foldedTagKeys.read(in.Tags)
	if err != nil {
		return nil, err
	}
	u := store.User{
		Account: c.Account(), NameKey: fold(*in.UserName), Name: *in.UserName,
		Path: pathOrRoot(in.Path), ID: seal.NewID("AIDA", 21),
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		u.Created = tx.Now
		if err := insertUser(tx, u); err != nil {
			return err
		}
		if err := insertTags(tx, store.UserTags, u.Account, u.NameKey, tags); err != nil {
			return err
		}
		if in.PermissionsBoundary == nil {
			return nil
		}
		return setBoundary(tx, c, store.UserEntity, u.NameKey, *in.PermissionsBoundary)
	})
	if err != nil {
		return nil, err
	}
	out := userOut(c, u)
	out.Tags = tagsOut(tags)
	out.PermissionsBoundary = boundaryOut(str(in.PermissionsBoundary))
	return &iam.CreateUserOutput{User: &out}, nil
}

func insertUser(tx *store.Tx, u store.User) error {
	n, limit, err := tx.AddUser(u, usersPerAccount.Name, usersPerAccount.Value)
	if errors.Is(err, store.ErrExists) {
		return fail("EntityAlreadyExists", "User with name %s already exists.", u.Name)
	}
	if err != nil {
		return err
	}
	return within(usersPerAccount, n, limit)
}

// pathOrRoot returns the path of a new user or device, "/" if the request has
// none.
func pathOrRoot(path *string) string {
	if path == nil {
		return "/"
	}
	return *path
}

// userOut returns a user for an answer, without tags, boundary and password
// use, in the form of lists.
func userOut(c principal.Caller, u store.User) types.User {
	out := types.User{Arn: ptr(arn(c, u)), UserId: &u.ID, CreateDate: when(u.Created)}
	if u.NameKey != "" {
		// GetUser of root omits UserName and Path (recorded). The SDK requires
		// them, so they are only nil for root.
		out.UserName, out.Path = &u.Name, &u.Path
	}
	return out
}

// GetUser returns a user, or the caller if the call names no user.
func (s *Service) GetUser(ctx context.Context, in *iam.GetUserInput) (*iam.GetUserOutput, error) {
	c := principal.Of(ctx)
	var u store.UserDetails
	err := s.db.Glance(ctx, func(tx *store.Tx) (err error) {
		u, err = namedOrCaller(c, in.UserName, func(name string) (store.UserDetails, error) {
			return tx.UserDetails(c.Account(), name, maxTags)
		}, func(id string) (store.UserDetails, error) { return tx.UserDetailsByID(c.Account(), id, maxTags) })
		return err
	})
	if err != nil {
		return nil, err
	}
	out := userOut(c, u.User)
	out.Tags = tagsOut(u.Tags)
	out.PermissionsBoundary = boundaryOut(u.Boundary)
	out.PasswordLastUsed = when(u.PasswordLastUsed)
	return &iam.GetUserOutput{User: &out}, nil
}

// ListUsersInput is the SDK's input with one member of our own: a prefix of the
// names, without regard to case. AWS's clients never send it.
type ListUsersInput struct {
	Marker     *string
	MaxItems   *int32
	PathPrefix *string
	Rollcall   *NameSearch `query:"Rollcall"`
}

// maxUserName is the maximum length of a user's name. IAM quotas.
const maxUserName = 64

// NameSearch is our own member of the inputs of lists.
type NameSearch struct{ NamePrefix *string }

// prefix returns the prefix of the names of things of a kind, folded. most is
// the maximum length of such a name.
func (s *NameSearch) prefix(kind string, most int) (string, error) {
	if s == nil || s.NamePrefix == nil {
		return "", nil
	}
	const characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-"
	if len(*s.NamePrefix) > most || strings.Trim(*s.NamePrefix, characters) != "" {
		return "", fail("ValidationError", "Rollcall.NamePrefix is not the beginning of a %s name.", kind)
	}
	return fold(*s.NamePrefix), nil
}

// ListUsers lists users in order of their names, without regard to case.
// PathPrefix is a plain prefix: it may end within a path segment. This is the
// only list of users that contains the last use of passwords. IAM User.
func (s *Service) ListUsers(ctx context.Context, in *ListUsersInput) (*iam.ListUsersOutput, error) {
	c := principal.Of(ctx)
	prefix := pathOrRoot(in.PathPrefix)
	name, err := in.Rollcall.prefix("user", maxUserName)
	if err != nil {
		return nil, err
	}
	filter := prefix
	if name != "" {
		filter += "\x00" + name
	}
	p, err := s.page(c, "ListUsers", filter, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var users []store.User
	var used map[string]time.Time
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if name == "" {
			users, err = tx.Users(c.Account(), p.after, prefix, p.limit+1)
		} else {
			users, err = tx.UsersNamed(c.Account(), p.after, name, prefix, p.limit+1)
		}
		if err != nil {
			return err
		}
		keys := make([]string, len(users))
		for i, u := range users {
			keys[i] = u.NameKey
		}
		used, err = tx.PasswordsLastUsed(c.Account(), keys)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListUsersOutput{}
	users, out.IsTruncated, out.Marker = cut(p, users, func(u store.User) string { return u.NameKey })
	out.Users = make([]types.User, len(users))
	for i, u := range users {
		out.Users[i] = userOut(c, u)
		out.Users[i].PasswordLastUsed = when(used[u.NameKey])
	}
	return out, nil
}

// UpdateUser gives a user another name or path. Its id and its credentials do
// not change.
func (s *Service) UpdateUser(ctx context.Context, in *iam.UpdateUserInput) (*iam.UpdateUserOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := user(tx, c.Account(), *in.UserName)
		if err != nil {
			return err
		}
		was := u.NameKey
		if in.NewUserName != nil {
			u.Name, u.NameKey = *in.NewUserName, fold(*in.NewUserName)
		}
		if in.NewPath != nil {
			u.Path = *in.NewPath
		}
		if u.NameKey != was {
			// Check first: the engines differ in what a failed rename of many
			// rows leaves in a transaction.
			if _, err := tx.User(c.Account(), u.NameKey); !errors.Is(err, store.ErrNotFound) {
				if err != nil {
					return err
				}
				return fail("EntityAlreadyExists", "User with name %s already exists.", u.Name)
			}
		}
		return tx.RenameUser(c.Account(), was, u)
	})
	return &iam.UpdateUserOutput{}, err
}

package identity

import (
	"context"
	"errors"
	"strings"

	"rollcall/internal/access"
	"rollcall/internal/api"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// What each action needs follows AWS's service authorization reference for
// IAM: the resource it acts on, and the condition keys that are its own.

// onUser is the need on the user an action names, the caller where it names
// none. Denials say "user bob" (recorded).
func (s *Service) onUser(member string) api.Needing {
	return func(ctx context.Context, c principal.Caller, in any) ([]api.Need, error) {
		name := api.Text(in, member)
		if name == "" && !c.HasUser() {
			return nil, errNoUserName()
		}
		// The caller was read with the call.
		if name == "" || c.HasUser() && fold(name) == c.NameKey() {
			return api.On(s.userResource(ctx, c, c.User())), nil
		}
		u, err := s.db.User(ctx, c.Account(), fold(name))
		if errors.Is(err, store.ErrNotFound) {
			// It cannot be found before the caller may know that.
			u, err = store.User{Account: c.Account(), NameKey: fold(name), Name: name, Path: "/"}, nil
		}
		return api.On(s.userResource(ctx, c, u)), err
	}
}

func (s *Service) userResource(ctx context.Context, c principal.Caller, u store.User) api.Resource {
	if u.NameKey == "" {
		return api.Resource{ARN: principal.RootARN(c.Partition(), c.Account())}
	}
	return api.Resource{
		ARN: principal.UserARN(c.Partition(), c.Account(), u.Path, u.Name), Label: "user " + u.Name,
		Keys: s.principalKeys(ctx, c.Account(), func(ctx context.Context) (*store.Grants, error) {
			return s.db.UserGrants(ctx, u.Account, u.NameKey)
		}),
	}
}

// onRole is the need on the role an action names. Denials say "role name".
func (s *Service) onRole(member string) api.Needing {
	return func(ctx context.Context, c principal.Caller, in any) ([]api.Need, error) {
		r, err := s.roleResource(ctx, c, api.Text(in, member))
		return api.On(r), err
	}
}

func (s *Service) roleResource(ctx context.Context, c principal.Caller, name string) (api.Resource, error) {
	g, err := s.db.RoleGrants(ctx, c.Account(), fold(name))
	if errors.Is(err, store.ErrNotFound) {
		g, err = &store.Grants{Path: "/", Name: name}, nil
	}
	if err != nil {
		return api.Resource{}, err
	}
	return api.Resource{
		ARN: principal.RoleARN(c.Partition(), c.Account(), g.Path, g.Name), Label: "role " + g.Name,
		Keys: s.principalKeys(ctx, c.Account(), func(context.Context) (*store.Grants, error) { return g, nil }),
	}, nil
}

// principalKeys are the condition keys of a user or a role: its tags, and the
// boundary it has. They are read once, and only for a key that is among them:
// every key that the call itself does not have is asked for here.
func (s *Service) principalKeys(ctx context.Context, account string, read func(context.Context) (*store.Grants, error)) func(string) ([]string, error) {
	var g *store.Grants
	return func(key string) ([]string, error) {
		if key == "aws:resourceaccount" {
			return []string{account}, nil
		}
		if _, ok := access.ResourceTag(key); !ok && key != "iam:permissionsboundary" {
			return nil, nil
		}
		if g == nil {
			found, err := read(ctx)
			if errors.Is(err, store.ErrNotFound) {
				found, err = &store.Grants{}, nil
			}
			if err != nil {
				return nil, err
			}
			g = found
		}
		if key != "iam:permissionsboundary" {
			return access.TagValue(g.Tags, key), nil
		}
		for i := range g.Policies {
			if p := &g.Policies[i]; p.Kind == store.BoundaryGrant {
				return []string{p.ARN}, nil
			}
		}
		return nil, nil
	}
}

// tagged are the condition keys of a thing that has tags and nothing else, as
// principalKeys are those of a principal. read reads them.
func (s *Service) tagged(ctx context.Context, account string, read func(*store.Tx) ([]store.Tag, error)) func(string) ([]string, error) {
	var tags []store.Tag
	var have bool
	return func(key string) ([]string, error) {
		if key == "aws:resourceaccount" {
			return []string{account}, nil
		}
		if _, ok := access.ResourceTag(key); !ok {
			return nil, nil
		}
		if !have {
			err := s.db.View(ctx, func(tx *store.Tx) (err error) {
				tags, err = read(tx)
				return err
			})
			if err != nil {
				return nil, err
			}
			have = true
		}
		return access.TagValue(tags, key), nil
	}
}

// errNoUserName is recorded for callers that are no users.
func errNoUserName() error {
	return fail("ValidationError", "Must specify userName when calling with non-User credentials")
}

// alsoTagging adds, where a request that makes something sets tags, the
// permission to tag it: IAM asks for iam:TagUser and its kin beside.
func alsoTagging(needing api.Needing, action string) api.Needing {
	return func(ctx context.Context, c principal.Caller, in any) ([]api.Need, error) {
		needs, err := needing(ctx, c, in)
		if err == nil && len(api.Tags(in)) > 0 {
			needs = append(needs, api.Need{Action: action, Resources: needs[0].Resources})
		}
		return needs, err
	}
}

// onDevice is the need on an MFA device by its serial number, which is its
// ARN.
func (s *Service) onDevice(member string) api.Needing {
	return func(ctx context.Context, c principal.Caller, in any) ([]api.Need, error) {
		serial := api.Text(in, member)
		return api.On(api.Resource{ARN: serial, Keys: s.tagged(ctx, c.Account(), func(tx *store.Tx) ([]store.Tag, error) {
			return tx.MFADeviceTags(c.Account(), serial, maxTags)
		})}), nil
	}
}

// onKeyOwner is the need on the user whose access key an action names, whom
// only the key tells. Denials name the key (recorded).
func (s *Service) onKeyOwner(ctx context.Context, c principal.Caller, in any) ([]api.Need, error) {
	id := api.Text(in, "AccessKeyId")
	r := api.Resource{ARN: "*"}
	switch o, err := s.db.KeyOwner(ctx, id); {
	case err == nil && o.User.Account == c.Account():
		r = s.userResource(ctx, c, o.User)
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return nil, err
	}
	r.Label = "access key " + id
	return api.On(r), nil
}

// andRenamed adds, where a request gives a thing another name or path, what it
// will be then. IAM UpdateUser: the caller must have permission on both, the
// old name and the new one.
func andRenamed(needing api.Needing, kind string) api.Needing {
	return func(ctx context.Context, c principal.Caller, in any) ([]api.Need, error) {
		needs, err := needing(ctx, c, in)
		path, name := api.Text(in, "NewPath"), ""
		for _, member := range []string{"NewUserName", "NewGroupName", "NewServerCertificateName"} {
			name += api.Text(in, member)
		}
		if err != nil || path == "" && name == "" {
			return needs, err
		}
		old := strings.TrimPrefix(needs[0].Resources[0].ARN, api.IAMARN(c, kind, ""))
		slash := strings.LastIndexByte(old, '/') + 1
		if path == "" {
			path = old[:slash]
		}
		if name == "" {
			name = old[slash:]
		}
		needs[0].Resources = append(needs[0].Resources, api.Resource{ARN: api.IAMARN(c, kind, path+name), Keys: needs[0].Resources[0].Keys})
		return needs, nil
	}
}

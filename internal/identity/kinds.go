package identity

import (
	"context"
	"errors"

	"rollcall/internal/api"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// The kinds of things. Denials say "user bob" and "role name" (recorded), and
// "policy arn:…" and "policy name" (reported by users of AWS). They name a
// server certificate by its ARN (recorded for UploadServerCertificate).
var (
	userKind = kind{
		arn: "user", label: "user ", quota: usersPerAccount, find: findUser,
		tags: tagging{of: store.UserTags, keys: foldedTagKeys, find: findTaggedUser},
	}
	groupKind = kind{arn: "group", label: "group ", renamedLabel: "group ", quota: groupsPerAccount, find: findGroup}
	roleKind  = kind{
		arn: "role", label: "role ", quota: rolesPerAccount, find: findRole,
		tags: tagging{of: store.RoleTags, keys: foldedTagKeys, find: findTaggedRole},
	}
	policyKind = kind{
		arn: "policy", label: "policy ", newLabel: "policy ", quota: policiesPerAccount,
		tags: tagging{of: store.PolicyTags, keys: exactTagKeys, check: checkTaggedPolicy, find: findTaggedPolicy,
			key: policyKey},
	}
	deviceKind = kind{
		arn:  "mfa",
		tags: tagging{of: store.MFADeviceTags, keys: exactTagKeys, find: findTaggedDevice, key: serialKey},
	}
	instanceProfileKind = kind{
		arn: "instance-profile", label: "instance profile ", quota: instanceProfilesPerAccount,
		find: findInstanceProfile,
		tags: tagging{of: store.InstanceProfileTags, keys: exactTagKeys, find: findTaggedProfile, key: foldedKey},
	}
	serverCertificateKind = kind{
		arn: "server-certificate", quota: serverCertificatesPerAccount, find: findServerCertificate,
		tags: tagging{of: store.ServerCertificateTags, keys: exactTagKeys, find: findTaggedCertificate, key: foldedKey},
	}
	oidcProviderKind = kind{
		arn: "oidc-provider", quota: oidcProvidersPerAccount,
		tags: tagging{of: store.OIDCProviderTags, keys: exactTagKeys, find: findTaggedOIDCProvider,
			key: keyAfter("oidc-provider")},
	}
	samlProviderKind = kind{
		arn: "saml-provider", quota: samlProvidersPerAccount,
		tags: tagging{of: store.SAMLProviderTags, keys: exactTagKeys, find: findTaggedSAMLProvider,
			key: keyAfter("saml-provider")},
	}
)

// userOrCaller returns the target for the user that a member names. It is the
// caller if the member is empty or does not exist.
func (s *Service) userOrCaller(member string) api.Target {
	return api.ByMembers(func(ctx context.Context, c principal.Caller, v []string) ([]api.Resource, error) {
		return s.namedOrCaller(ctx, c, v[0])
	}, member)
}

func (s *Service) namedOrCaller(ctx context.Context, c principal.Caller, name string) ([]api.Resource, error) {
	if name == "" && !c.HasUser() {
		return nil, errNoUserName()
	}
	if name == "" {
		return []api.Resource{s.userResource(ctx, c, c.User())}, nil
	}
	t, err := findUser(ctx, s, c, name)
	return []api.Resource{userKind.resource(c, t, userKind.label)}, err
}

// userResource returns a user, or root, for authorization.
func (s *Service) userResource(ctx context.Context, c principal.Caller, u store.User) api.Resource {
	if u.NameKey == "" {
		return api.Resource{ARN: principal.RootARN(c.Partition(), c.Account())}
	}
	return userKind.resource(c, s.userThing(ctx, u), userKind.label)
}

// onKeyOwner returns the target for the owner of the access key that a member
// names. Denials name the key (recorded).
func (s *Service) onKeyOwner(member string) api.Target {
	return api.ByMembers(func(ctx context.Context, c principal.Caller, v []string) ([]api.Resource, error) {
		r := api.Resource{ARN: "*"}
		switch o, err := s.db.KeyOwner(ctx, v[0]); {
		case err == nil && o.User.Account == c.Account():
			r = s.userResource(ctx, c, o.User)
		case found(err) != nil:
			return nil, err
		}
		r.Label = "access key " + v[0]
		return []api.Resource{r}, nil
	}, member)
}

// errNoUserName is recorded for callers that are not users.
func errNoUserName() error {
	return fail("ValidationError", "Must specify userName when calling with non-User credentials")
}

func findUser(ctx context.Context, s *Service, c principal.Caller, name string) (thing, error) {
	u := c.User() // the call has already read the user
	if !c.HasUser() || fold(name) != c.NameKey() {
		var err error
		u, err = s.db.User(ctx, c.Account(), fold(name))
		if errors.Is(err, store.ErrNotFound) {
			u, err = store.User{Account: c.Account(), NameKey: fold(name), Name: name, Path: "/"}, nil
		}
		if err != nil {
			return thing{}, err
		}
	}
	return s.userThing(ctx, u), nil
}

// userThing returns what authorization knows about a user.
func (s *Service) userThing(ctx context.Context, u store.User) thing {
	return thing{u.Path, u.Name, principalKeys(ctx, u.Account, func(ctx context.Context) (*store.Grants, error) {
		return s.db.UserGrants(ctx, u.Account, u.NameKey)
	})}
}

func findRole(ctx context.Context, s *Service, c principal.Caller, name string) (thing, error) {
	g, err := s.db.RoleGrants(ctx, c.Account(), fold(name))
	if errors.Is(err, store.ErrNotFound) {
		g, err = &store.Grants{Path: "/", Name: name}, nil
	}
	if err != nil {
		return thing{}, err
	}
	read := func(context.Context) (*store.Grants, error) { return g, nil }
	return thing{g.Path, g.Name, principalKeys(ctx, c.Account(), read)}, nil
}

func findGroup(ctx context.Context, s *Service, c principal.Caller, name string) (thing, error) {
	t := thing{"/", name, accountKeys(c)}
	err := s.db.View(ctx, func(tx *store.Tx) error {
		g, err := tx.Group(c.Account(), fold(name))
		if err == nil {
			t.path, t.name = g.Path, g.Name
		}
		return found(err)
	})
	return t, err
}

func findInstanceProfile(ctx context.Context, s *Service, c principal.Caller, name string) (thing, error) {
	t := thing{path: "/", name: name}
	err := s.db.View(ctx, func(tx *store.Tx) error {
		p, err := tx.InstanceProfile(c.Account(), fold(name))
		if err == nil {
			t.path, t.name = p.Path, p.Name
		}
		return found(err)
	})
	return t, err
}

func findServerCertificate(ctx context.Context, s *Service, c principal.Caller, name string) (thing, error) {
	t := thing{path: "/", name: name}
	err := s.db.View(ctx, func(tx *store.Tx) error {
		cert, err := tx.ServerCertificate(c.Account(), fold(name))
		if err == nil {
			t.path, t.name = cert.Path, cert.Name
		}
		return found(err)
	})
	return t, err
}

// found drops the error for a thing that does not have to exist.
func found(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

package identity

import (
	"context"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/api"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// credentialServices are the services that have their own credentials, with the
// prefix of their API keys. Services without a prefix use a user name and a
// password (all observed).
var credentialServices = map[string]string{
	"codecommit.amazonaws.com":             "",
	"cassandra.amazonaws.com":              "",
	"bedrock.amazonaws.com":                "ABSK",
	"logs.amazonaws.com":                   "ACWL",
	"cloudwatch.amazonaws.com":             "APIAACWM",
	"aws-external-anthropic.amazonaws.com": "AEAA",
}

// The condition keys of credentials. Service authorization reference for IAM.
const (
	credentialServiceKey = "iam:servicespecificcredentialservicename"
	credentialAgeKey     = "iam:servicespecificcredentialagedays"
)

// credentialService checks the name of a service. The comparison ignores case.
// Both texts are recorded.
func credentialService(name string) (string, error) {
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") != "" {
		return "", fail("ValidationError", "ServiceName must match [a-zA-Z0-9.-]*")
	}
	service := strings.ToLower(name)
	if _, ok := credentialServices[service]; !ok {
		return "", fail("NoSuchEntity", "No such service %s is supported for Service Specific Credentials", name)
	}
	return service, nil
}

// credentialPlace returns the place that a credential's password is sealed for.
func credentialPlace(account, id string) seal.Location {
	return seal.Location{Table: "service_specific_credentials", Key: account + "/" + id, Column: "secret"}
}

// serviceCredential reads a user's credential by its id (texts recorded).
func serviceCredential(tx *store.Tx, u store.User, id string) (store.ServiceCredential, error) {
	c, err := tx.ServiceCredential(u.Account, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return c, fail("NoSuchEntity", "No such credential %s exists", id)
	case err == nil && c.NameKey != u.NameKey:
		return c, fail("ValidationError", "User %s does not have a service specific credential with id %s", u.Name, id)
	}
	return c, err
}

// CreateServiceSpecificCredential creates a user name and a password, or an API
// key, for one service. Only this answer contains the secret.
func (s *Service) CreateServiceSpecificCredential(
	ctx context.Context, in *iam.CreateServiceSpecificCredentialInput,
) (*iam.CreateServiceSpecificCredentialOutput, error) {
	c := principal.Of(ctx)
	password := seal.NewServicePassword()
	var out types.ServiceSpecificCredential
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := user(tx, c.Account(), *in.UserName)
		if err != nil {
			return err
		}
		service, err := credentialService(*in.ServiceName)
		if err != nil {
			return err
		}
		cred := store.ServiceCredential{
			Account: u.Account, NameKey: u.NameKey, ID: seal.NewID("ACCA", 21), Service: service,
			Status: active, Created: tx.Now,
		}
		if in.CredentialAgeDays != nil {
			// Days have 24 hours, for every service (recorded). The model only
			// mentions API keys.
			cred.Expires = cred.Created.Add(time.Duration(*in.CredentialAgeDays) * 24 * time.Hour)
		}
		cred.Secret = s.keys.SealSecret(password, credentialPlace(cred.Account, cred.ID))
		if cred.ServiceUser, err = insertServiceCredential(tx, u, cred); err != nil {
			return err
		}
		out = credentialOut(tx.Now, u.Name, cred, password)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreateServiceSpecificCredentialOutput{ServiceSpecificCredential: &out}, nil
}

// insertServiceCredential adds a credential under the first name that is free
// for its service: user-at-account, user+1-at-account, and so on. The name of a
// user who was renamed since then is not free (recorded).
func insertServiceCredential(tx *store.Tx, u store.User, cred store.ServiceCredential) (name string, err error) {
	have, err := tx.ServiceCredentials(u.Account, u.NameKey, cred.Service)
	if err != nil {
		return "", err
	}
	if err := checkQuota(tx, u.Account, contextSpecificCredentialsPerUserPerContext, len(have)+1); err != nil {
		return "", err
	}
	for i := 0; ; i++ {
		cred.ServiceUser = u.Name + "-at-" + u.Account
		if i > 0 {
			cred.ServiceUser = u.Name + "+" + strconv.Itoa(i) + "-at-" + u.Account
		}
		err := tx.InsertServiceCredential(cred)
		if !errors.Is(err, store.ErrExists) {
			return cred.ServiceUser, err
		}
	}
}

// credentialStatus returns the status for an answer: Expired if the credential
// has expired.
func credentialStatus(now time.Time, c store.ServiceCredential) types.StatusType {
	if !c.Expires.IsZero() && !now.Before(c.Expires) {
		return types.StatusTypeExpired
	}
	return types.StatusType(c.Status)
}

// credentialOut returns a credential with its new password for an answer. An
// API key consists of the name and the password, so that clients can present it
// alone (observed).
func credentialOut(
	now time.Time, user string, c store.ServiceCredential, password seal.Secret,
) types.ServiceSpecificCredential {
	m := credentialMetadata(now, user, c)
	out := types.ServiceSpecificCredential{
		UserName: m.UserName, ServiceName: m.ServiceName, ServiceSpecificCredentialId: m.ServiceSpecificCredentialId,
		Status: m.Status, CreateDate: m.CreateDate, ExpirationDate: m.ExpirationDate,
		ServiceUserName: m.ServiceUserName, ServiceCredentialAlias: m.ServiceCredentialAlias,
	}
	if prefix := credentialServices[c.Service]; prefix != "" {
		key := base64.StdEncoding.EncodeToString([]byte(c.ServiceUser + ":" + password.Reveal()))
		out.ServiceCredentialSecret = ptr(prefix + key)
	} else {
		out.ServicePassword = ptr(password.Reveal())
	}
	return out
}

// credentialMetadata returns a credential for a list.
func credentialMetadata(now time.Time, user string, c store.ServiceCredential) types.ServiceSpecificCredentialMetadata {
	m := types.ServiceSpecificCredentialMetadata{
		UserName: &user, ServiceName: &c.Service, ServiceSpecificCredentialId: &c.ID,
		Status: credentialStatus(now, c), CreateDate: when(c.Created), ExpirationDate: when(c.Expires),
	}
	if credentialServices[c.Service] != "" {
		m.ServiceCredentialAlias = &c.ServiceUser
	} else {
		m.ServiceUserName = &c.ServiceUser
	}
	return m
}

// userOrAll returns the target for the user whose credentials are listed. For
// all users, AWS requires the permission on user/* (recorded).
func (s *Service) userOrAll(
	ctx context.Context, c principal.Caller, in *iam.ListServiceSpecificCredentialsInput,
) ([]api.Resource, error) {
	if in.AllUsers != nil && *in.AllUsers {
		return []api.Resource{{ARN: api.IAMARN(c, "user", "/*")}}, nil
	}
	return s.namedOrCaller(ctx, c, str(in.UserName))
}

// newCredentialService returns the service that a new credential is for, in the
// spelling that IAM stores (recorded).
func newCredentialService(in *iam.CreateServiceSpecificCredentialInput) []string {
	return []string{strings.ToLower(str(in.ServiceName))}
}

// newCredentialAge returns the lifetime of a new credential in days, if the
// request contains it (recorded).
func newCredentialAge(in *iam.CreateServiceSpecificCredentialInput) []string {
	if in.CredentialAgeDays == nil {
		return nil
	}
	return []string{strconv.Itoa(int(*in.CredentialAgeDays))}
}

// onCredential returns the target for the user of an existing credential. The
// credential's service is among the condition keys.
func (s *Service) onCredential(userMember, idMember string) api.Target {
	return api.ByMembers(func(ctx context.Context, c principal.Caller, v []string) ([]api.Resource, error) {
		on, err := s.namedOrCaller(ctx, c, v[0])
		if err != nil {
			return nil, err
		}
		user := on[0].Keys
		on[0].Keys = func(key string) ([]string, error) {
			if key == credentialServiceKey {
				return s.credentialService(ctx, c, v[1])
			}
			if user == nil {
				return nil, nil
			}
			return user(key)
		}
		return on, nil
	}, userMember, idMember)
}

// credentialService returns the service that a credential is for. It returns
// nothing if the account has no such credential.
func (s *Service) credentialService(ctx context.Context, c principal.Caller, id string) (service []string, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) error {
		cred, err := tx.ServiceCredential(c.Account(), id)
		if err == nil {
			service = []string{cred.Service}
		}
		return found(err)
	})
	return service, err
}

// ListServiceSpecificCredentials lists the credentials of a user, or of all
// users, in order of id. If the call names no user, it lists the caller's.
func (s *Service) ListServiceSpecificCredentials(
	ctx context.Context, in *iam.ListServiceSpecificCredentialsInput,
) (*iam.ListServiceSpecificCredentialsOutput, error) {
	c := principal.Of(ctx)
	all := in.AllUsers != nil && *in.AllUsers
	if all && in.UserName != nil {
		// Recorded.
		return nil, fail("InvalidInput", "Cannot list credentials for all users if a username is given")
	}
	service := str(in.ServiceName)
	if service != "" { // an empty filter means no filter (recorded)
		var err error
		if service, err = credentialService(service); err != nil {
			return nil, err
		}
	}
	filter := strings.Join([]string{strconv.FormatBool(all), fold(str(in.UserName)), service}, "/")
	p, err := s.page(c, "ListServiceSpecificCredentials", filter, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var creds []store.OwnedServiceCredential
	var now time.Time
	err = s.db.View(ctx, func(tx *store.Tx) error {
		now = tx.Now
		if all {
			creds, err = tx.AccountServiceCredentials(c.Account(), p.after, service, p.limit+1)
		} else {
			creds, err = userServiceCredentials(tx, c, in.UserName, service)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListServiceSpecificCredentialsOutput{}
	creds, out.IsTruncated, out.Marker = cutAll(p, creds, func(c store.OwnedServiceCredential) string { return c.ID })
	out.ServiceSpecificCredentials = make([]types.ServiceSpecificCredentialMetadata, len(creds))
	for i, cred := range creds {
		out.ServiceSpecificCredentials[i] = credentialMetadata(now, cred.User, cred.ServiceCredential)
	}
	return out, nil
}

func userServiceCredentials(
	tx *store.Tx, c principal.Caller, name *string, service string,
) ([]store.OwnedServiceCredential, error) {
	u, err := userOrCaller(tx, c, name)
	if err != nil {
		return nil, err
	}
	creds, err := tx.ServiceCredentials(u.Account, u.NameKey, service)
	owned := make([]store.OwnedServiceCredential, len(creds))
	for i, cred := range creds {
		owned[i] = store.OwnedServiceCredential{ServiceCredential: cred, User: u.Name}
	}
	return owned, err
}

// UpdateServiceSpecificCredential makes a credential Active or Inactive.
func (s *Service) UpdateServiceSpecificCredential(
	ctx context.Context, in *iam.UpdateServiceSpecificCredentialInput,
) (*iam.UpdateServiceSpecificCredentialOutput, error) {
	return &iam.UpdateServiceSpecificCredentialOutput{}, s.setStatus(ctx, serviceSpecificCredential, in.UserName,
		*in.ServiceSpecificCredentialId, in.Status)
}

// ResetServiceSpecificCredential gives a credential a new secret. Its name,
// status and dates do not change (recorded), so an expired one stays expired.
func (s *Service) ResetServiceSpecificCredential(
	ctx context.Context, in *iam.ResetServiceSpecificCredentialInput,
) (*iam.ResetServiceSpecificCredentialOutput, error) {
	c := principal.Of(ctx)
	password := seal.NewServicePassword()
	var out types.ServiceSpecificCredential
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := userOrCaller(tx, c, in.UserName)
		if err != nil {
			return err
		}
		cred, err := serviceCredential(tx, u, *in.ServiceSpecificCredentialId)
		if err != nil {
			return err
		}
		out = credentialOut(tx.Now, u.Name, cred, password)
		sealed := s.keys.SealSecret(password, credentialPlace(cred.Account, cred.ID))
		return tx.SetServiceCredentialSecret(cred.Account, cred.NameKey, cred.ID, sealed)
	})
	if err != nil {
		return nil, err
	}
	return &iam.ResetServiceSpecificCredentialOutput{ServiceSpecificCredential: &out}, nil
}

// DeleteServiceSpecificCredential deletes a credential.
func (s *Service) DeleteServiceSpecificCredential(
	ctx context.Context, in *iam.DeleteServiceSpecificCredentialInput,
) (*iam.DeleteServiceSpecificCredentialOutput, error) {
	return &iam.DeleteServiceSpecificCredentialOutput{}, s.deleteCredential(ctx, serviceSpecificCredential, in.UserName,
		*in.ServiceSpecificCredentialId)
}

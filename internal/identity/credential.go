package identity

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// credential is a kind of credentials of users that are Active or Inactive.
type credential struct {
	kind store.CredentialKind
	// missing is the error for an id that is none of the user's.
	missing func(tx *store.Tx, u store.User, id string) error
}

var (
	accessKeyCredential          = credential{store.AccessKeyCredential, errMissing(errNoAccessKey)}
	signingCertificateCredential = credential{store.SigningCertificateCredential, errMissing(errNoCertificate)}
	sshKeyCredential             = credential{store.SSHPublicKeyCredential, errOfReading(sshKey)}
	serviceSpecificCredential    = credential{store.ServiceSpecificCredential, errOfReading(serviceCredential)}
)

// errMissing returns an error of the id alone.
func errMissing(of func(id string) error) func(*store.Tx, store.User, string) error {
	return func(_ *store.Tx, _ store.User, id string) error { return of(id) }
}

// errOfReading returns the error of reading the user's credential with an id,
// which may be another user's.
func errOfReading[T any](
	read func(*store.Tx, store.User, string) (T, error),
) func(*store.Tx, store.User, string) error {
	return func(tx *store.Tx, u store.User, id string) error {
		_, err := read(tx, u, id)
		return err
	}
}

// setStatus makes a credential of a user, the caller where none is named,
// Active or Inactive, from the next request on.
func (s *Service) setStatus(
	ctx context.Context, of credential, userName *string, id string, status types.StatusType,
) error {
	if status == types.StatusTypeExpired {
		return errExpiredStatus()
	}
	return s.changeCredential(ctx, of, userName, id, func(tx *store.Tx, u store.User) error {
		return tx.SetCredentialStatus(of.kind, u.Account, u.NameKey, id, string(status))
	})
}

// deleteCredential deletes a credential of a user, the caller where none is
// named.
func (s *Service) deleteCredential(ctx context.Context, of credential, userName *string, id string) error {
	return s.changeCredential(ctx, of, userName, id, func(tx *store.Tx, u store.User) error {
		return tx.DeleteCredential(of.kind, u.Account, u.NameKey, id)
	})
}

func (s *Service) changeCredential(
	ctx context.Context, of credential, userName *string, id string, change func(*store.Tx, store.User) error,
) error {
	c := principal.Of(ctx)
	return s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := userOrCaller(tx, c, userName)
		if err != nil {
			return err
		}
		if err = change(tx, u); errors.Is(err, store.ErrNotFound) {
			return of.missing(tx, u, id)
		}
		return err
	})
}

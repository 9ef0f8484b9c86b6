package identity

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// credential is a kind of credential that belongs to users and is either Active
// or Inactive.
type credential struct {
	kind store.CredentialKind
	// missing returns the error for an id that does not belong to the user.
	missing func(tx *store.Tx, u store.User, id string) error
}

var (
	accessKeyCredential          = credential{store.AccessKeyCredential, errMissing(errNoAccessKey)}
	signingCertificateCredential = credential{store.SigningCertificateCredential, errMissing(errNoCertificate)}
	sshKeyCredential             = credential{store.SSHPublicKeyCredential, errOfReading(sshKey)}
	serviceSpecificCredential    = credential{store.ServiceSpecificCredential, errOfReading(serviceCredential)}
)

// errMissing adapts a function that returns an error for an id alone.
func errMissing(of func(id string) error) func(*store.Tx, store.User, string) error {
	return func(_ *store.Tx, _ store.User, id string) error { return of(id) }
}

// errOfReading returns the error of reading the user's credential by its id,
// which may belong to another user.
func errOfReading[T any](
	read func(*store.Tx, store.User, string) (T, error),
) func(*store.Tx, store.User, string) error {
	return func(tx *store.Tx, u store.User, id string) error {
		_, err := read(tx, u, id)
		return err
	}
}

// setStatus makes a user's credential Active or Inactive from the next request
// on. If the call names no user, it acts on the caller.
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

// deleteCredential deletes a user's credential. If the call names no user, it
// acts on the caller.
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

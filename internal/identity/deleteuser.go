package identity

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// DeleteUser deletes a user who has nothing left except tags and a permissions
// boundary. The caller must first remove everything else by name.
func (s *Service) DeleteUser(ctx context.Context, in *iam.DeleteUserInput) (*iam.DeleteUserOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := user(tx, c.Account(), *in.UserName)
		if err != nil {
			return err
		}
		left, err := tx.UserReferences(u.Account, u.NameKey)
		if err != nil {
			return err
		}
		if err := checkNothingLeft(left); err != nil {
			return err
		}
		if err := tx.DeleteUser(u.Account, u.NameKey); err != nil {
			return err
		}
		_, err = tx.CountUser(u.Account, -1)
		return err
	})
	return &iam.DeleteUserOutput{}, err
}

// checkNothingLeft returns an error for the first thing that is left. The texts
// are recorded, except that the text for SSH keys follows the one for service
// credentials. It is recorded that AWS looks at devices before access keys. The
// rest of the order puts the most common things first.
func checkNothingLeft(r store.UserReferences) error {
	for _, left := range []struct {
		n    int
		text string
	}{
		{r.MFADevices, "must remove tokens from principal first."},
		{r.AccessKeys, "must delete access keys first."},
		{r.LoginProfiles, "must delete login profile first."},
		{r.SigningCertificates, "must delete certificates first."},
		{r.Groups, "must remove users from group first."},
		{r.Attachments, "must detach all policies first."},
		{r.InlinePolicies, "must delete policies first."},
		{r.ServiceSpecificCredentials + r.SSHPublicKeys, "must remove referenced objects first."},
	} {
		if left.n > 0 {
			return errStillHas(left.text)
		}
	}
	return nil
}

// errStillHas returns the error for deleting something that others refer to.
func errStillHas(text string) error {
	return fail("DeleteConflict", "Cannot delete entity, %s", text)
}

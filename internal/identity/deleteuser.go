package identity

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// DeleteUser deletes a user who has nothing left but tags and a permissions
// boundary: whatever lets somebody in must be taken away first, by name.
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

// checkNothingLeft names the first thing that is left. The texts are
// recorded, but for SSH keys, which answer like service credentials. Of the
// order in which AWS looks it is recorded that devices come before access keys;
// else the commonest come first.
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

// errStillHas is the refusal to delete something that others refer to.
func errStillHas(text string) error {
	return fail("DeleteConflict", "Cannot delete entity, %s", text)
}

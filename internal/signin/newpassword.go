package signin

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/awsmodel"
	"rollcall/internal/identity"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// ChoosePassword sets another password if a Step asks for one, and signs the
// person in. If the policy refuses the password, the step stays open; the error
// is then an *awsmodel.Error, PasswordPolicyViolation.
func (s *Service) ChoosePassword(ctx context.Context, v Visit, token, pw seal.Secret) (Step, error) {
	t, p, h, err := s.open(ctx, token, NewPassword)
	if err != nil {
		return Step{}, err
	}
	if v.To == "" {
		v.To = h.To
	}
	done, err := s.hashing.take(ctx)
	if err != nil {
		return Step{}, err
	}
	defer done()
	var step Step
	find := func(tx *store.Tx) (store.User, error) {
		now, err := tx.TicketByID(t.ID, t.Purpose)
		if err != nil {
			return store.User{}, err
		}
		return tx.User(now.Account, now.NameKey)
	}
	updated := func(failed error) trail.Record {
		return event(passwordUpdated, identityOf(p, failed == nil), p.User.Account, failed, nil)
	}
	err = s.api.SignIn(store.OnAccount(ctx, t.Account), v.Call, updated, func(ctx context.Context) error {
		return s.iam.ChoosePassword(ctx, pw, find, func(tx *store.Tx, u store.User) (err error) {
			// The ticket was deleted with the old password.
			now, err := identity.ReadPerson(tx, u.Account, u.NameKey)
			if err != nil {
				return err
			}
			step, err = s.insertSession(tx, v, now, h)
			return err
		})
	})
	if errors.Is(err, store.ErrNotFound) {
		err = ErrStepGone
	}
	if err != nil {
		return Step{}, err
	}
	s.api.RecordSignIn(ctx, v.Call, loginEvent(v, p, h.Serial)(nil))
	s.usedPassword(ctx, p.User)
	return step, nil
}

// ChangePassword changes the password of a session's person, and returns the
// token of the session that continues. All other sessions end. A user needs the
// permission. Errors for the person are *awsmodel.Error.
func (s *Service) ChangePassword(ctx context.Context, v Visit, token, before, after seal.Secret) (seal.Secret, error) {
	session, err := s.Open(ctx, token)
	if err != nil {
		return seal.Secret{}, err
	}
	if session.row.Federated || session.Role != nil {
		return seal.Secret{}, &Refusal{Reason: BadInput,
			Text: "Only who signed in by a password can change it. Switch " +
				"back from the role first."}
	}
	next := newToken()
	keep := func(tx *store.Tx, u store.User) error {
		row := session.row
		row.NameKey, row.ID, row.Handle, row.Used = u.NameKey, store.TokenID(next.Reveal()), newHandle(), tx.Now
		return tx.InsertSession(row)
	}
	if session.Self.IsRoot() {
		return next, s.changeRootPassword(ctx, v, session, before, after, keep)
	}
	action, ok := s.api.Find("iam", "ChangePassword")
	if !ok {
		return seal.Secret{}, errors.New("ChangePassword is not served")
	}
	old, chosen := before.Reveal(), after.Reveal()
	v.Console = true
	if _, refused := s.api.Invoke(ctx, &session.Self, action, &iam.ChangePasswordInput{OldPassword: &old,
		NewPassword: &chosen}, v.Call); refused != nil {
		return seal.Secret{}, refused
	}
	err = s.db.Update(store.WithoutEvent(ctx), func(tx *store.Tx) error {
		u, err := tx.UserByID(session.Self.Account(), session.Self.User().ID)
		if err != nil {
			return err
		}
		return keep(tx, u)
	})
	if errors.Is(err, store.ErrNotFound) {
		err = ErrNoSession
	}
	return next, err
}

// changeRootPassword is ChangePassword for root, for which IAM has no action.
func (s *Service) changeRootPassword(ctx context.Context, v Visit, session *Session, before, after seal.Secret,
	keep func(*store.Tx, store.User) error) error {
	p, err := s.iam.Person(ctx, session.Self.Account(), "", true)
	if err != nil {
		return err
	}
	leave, err := s.hashing.enter()
	if err != nil {
		return err
	}
	defer leave()
	ok, _, err := s.tryPassword(ctx, v, p.User.Account, "", p, before)
	if err != nil {
		return err
	}
	if !ok {
		return awsmodel.Fail("AccessDenied", "The old password is not correct.")
	}
	updated := func(failed error) trail.Record {
		return event(passwordUpdated, identityOf(p, failed == nil), p.User.Account, failed, nil)
	}
	return s.api.SignIn(store.OnAccount(ctx, p.User.Account), v.Call, updated, func(ctx context.Context) error {
		find := func(tx *store.Tx) (store.User, error) { return tx.User(p.User.Account, "") }
		return s.iam.ChoosePassword(ctx, after, find, keep)
	})
}

// usedPassword notes that a person has signed in with a password. The next
// report must contain it, so it is written before the person gets a session. If
// that fails, it is written later with other uses.
func (s *Service) usedPassword(ctx context.Context, u store.User) {
	s.db.PasswordUsed(u.Account, u.NameKey, s.db.Now())
	if err := s.db.Flush(ctx); err != nil {
		s.log.WarnContext(ctx, "last use of a password not written yet", "error", err)
	}
}

// insertSession begins the session of a person.
func (s *Service) insertSession(tx *store.Tx, v Visit, p *identity.Person, h halfOpen) (Step, error) {
	keyID, err := seal.NewAccessKeyID("ASIA", p.User.Account)
	if err != nil {
		return Step{}, err
	}
	issued := tx.Now.UTC().Truncate(second)
	step := Step{Kind: Done, Token: newToken(), Expires: issued.Add(sessionLife)}
	holds := principal.SignIn{Self: principal.Temporary{
		KeyID: keyID, Partition: p.Partition, Instance: p.Instance, User: p.User,
		Session: principal.Session{Issued: issued, Expires: step.Expires, MFA: h.MFA, SignedIn: true},
	}}
	err = tx.InsertSession(store.SignInSession{
		Account: p.User.Account, NameKey: p.User.NameKey, ID: store.TokenID(step.Token.Reveal()), Handle: newHandle(),
		State: holds.State(), Address: v.SourceIP, UserAgent: Cut(v.UserAgent), Created: tx.Now, Used: tx.Now,
		Expires: step.Expires,
	})
	if err != nil {
		return Step{}, err
	}
	if at, _ := p.PasswordExpires(); !at.IsZero() && at.Sub(tx.Now) < warnBefore {
		step.PasswordExpires = at
	}
	return step, tx.RememberPlace(p.User.Account, p.User.NameKey, h.From)
}

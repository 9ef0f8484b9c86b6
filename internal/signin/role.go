package signin

import (
	"context"
	"errors"
	"strings"

	"rollcall/internal/api"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// Switch is a role that a person wants to switch to.
type Switch struct {
	Account string // its number or alias
	Role    string // its name, with its path if it has one
	Name    string // its display name; "" means Role@Account
	Color   string
	To      string // the page to go to
}

// SwitchRole makes a session act as a role from its next request on. The role's
// trust policy decides, as for AssumeRole. The role's session does not inherit
// that the person used MFA. It lasts as long as the role allows, but no longer
// than the person's own session. A refusal is an *awsmodel.Error.
func (s *Service) SwitchRole(ctx context.Context, v Visit, token seal.Secret, to Switch) error {
	session, err := s.Open(ctx, token)
	if err != nil && !errors.Is(err, ErrRoleEnded) {
		return err
	}
	account, err := s.iam.AccountNamed(ctx, to.Account)
	if err != nil {
		return err
	}
	if account == "" {
		account = to.Account
	}
	if !nameLike(account) || !nameLike(strings.ReplaceAll(to.Role, "/", "")) {
		return &Refusal{Reason: BadInput, Text: "Give the account, by its number or alias, and the role, by its name."}
	}
	by, err := s.iam.Access().Gather(ctx, session.Self, v.Conditions())
	if err != nil {
		return err
	}
	arn := "arn:" + session.Self.Partition() + ":iam::" + account + ":role/" + strings.TrimPrefix(to.Role, "/")
	var as trail.Identity // the role's session, once it is known
	switched := func(failed error) trail.Record {
		data := map[string]string{"SwitchFrom": session.Self.ARN(), "RedirectTo": to.To}
		if failed != nil {
			return event(switchRole, sessionIdentity(session.Self), session.Self.Account(), failed, data)
		}
		return event(switchRole, as, as.AccountID, nil, data)
	}
	return s.api.SignIn(store.OnAccount(ctx, session.row.Account), v.Call, switched, func(ctx context.Context) error {
		of, role, err := s.sts.SwitchRole(ctx, by, arn, session.Expires)
		if err != nil {
			return err
		}
		keyID, err := seal.NewAccessKeyID("ASIA", of.User.Account)
		if err != nil {
			return err
		}
		as = trail.Identity{
			Type: trail.AssumedRole, PrincipalID: role.Role.ID + ":" + role.Name, AccountID: of.User.Account,
			ARN: principal.AssumedRoleARN(of.Partition, of.User.Account, role.Role.Name, role.Name),
		}
		holds := *session.holds
		holds.Role = &principal.Temporary{
			KeyID: keyID, Partition: of.Partition, Instance: of.Instance, User: of.User, Session: role,
		}
		holds.RoleName, holds.RoleColor = Cut(to.Name), Cut(to.Color)
		if holds.RoleName == "" {
			holds.RoleName = Cut(to.Role + "@" + to.Account)
		}
		return s.setHolds(ctx, session, &holds)
	})
}

// setHolds replaces the content of a session.
func (s *Service) setHolds(ctx context.Context, session *Session, holds *principal.SignIn) error {
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		return tx.SetSessionState(session.row.Account, session.row.ID, holds.State())
	})
	if errors.Is(err, store.ErrNotFound) {
		err = ErrNoSession
	}
	return err
}

// ExitRole makes a session act as the person again.
func (s *Service) ExitRole(ctx context.Context, v Visit, token seal.Secret, to string) error {
	session, err := s.Open(ctx, token)
	if err != nil && !errors.Is(err, ErrRoleEnded) {
		return err
	}
	if session.Role == nil {
		return nil
	}
	exited := func(failed error) trail.Record {
		data := map[string]string{"SwitchFrom": session.Caller.ARN(), "RedirectTo": to}
		return event(exitRole, sessionIdentity(session.Self), session.Self.Account(), failed, data)
	}
	return s.api.SignIn(store.OnAccount(ctx, session.row.Account), v.Call, exited, func(ctx context.Context) error {
		holds := *session.holds
		holds.Role, holds.RoleName, holds.RoleColor = nil, "", ""
		return s.setHolds(ctx, session, &holds)
	})
}

// sessionIdentity returns a caller for the record of a sign-in event, without
// its session.
func sessionIdentity(c principal.Caller) trail.Identity {
	id := api.Identity(c)
	id.SessionContext, id.AccessKeyID = nil, ""
	return id
}

// nameLike says whether a text is not empty and has only the characters of
// names and account numbers.
func nameLike(text string) bool {
	const chars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-"
	return text != "" && len(text) <= 576 && strings.Trim(text, chars) == ""
}

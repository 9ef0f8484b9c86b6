package sts

import (
	"context"
	"time"

	"rollcall/internal/access"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// SwitchRole decides whether a person who signed in may switch to a role, and
// returns the resulting session without credentials. The decision is the same
// as for AssumeRole. It is not an action of its own: package signin records it.
// The session has the person's name, ends no later than until, and does not
// inherit that the person proved an MFA device.
func (s *Service) SwitchRole(ctx context.Context, by *access.Subject, roleARN string,
	until time.Time) (of store.Owner, session principal.Session, err error) {
	c := by.Caller
	if c.IsRoot() {
		return of, session, fail("AccessDenied", "Roles may not be assumed by root accounts.")
	}
	n := newSession{from: c.Session(), name: c.UserName()}
	if n.name == "" {
		n.name = c.Session().Name
	}
	if err := n.setTags(nil, nil); err != nil {
		return of, session, err
	}
	if err := n.setSourceIdentity(""); err != nil {
		return of, session, err
	}
	target, err := s.role(ctx, roleARN)
	if err != nil {
		return of, session, err
	}
	if err := s.mayAssume(ctx, s.signed(access.With(ctx, by), time.Time{}), target, "sts:AssumeRole", &n,
		roleARN); err != nil {
		return of, session, err
	}
	issued := s.db.Now().UTC().Truncate(time.Second)
	session = principal.Session{
		Role: &principal.AssumedRoleOf{NameKey: target.NameKey, Name: target.Name, Path: target.Path, ID: target.ID},
		Name: n.name, Issued: issued, Expires: issued.Add(time.Duration(target.MaxSession) * time.Second),
		SourceIdentity: n.sourceIdentity, Tags: n.tags, Transitive: n.transitive, SignedIn: true,
	}
	if session.Expires.After(until) {
		session.Expires = until
	}
	return store.Owner{Partition: target.partition, Instance: target.instance,
		User: store.User{Account: target.Account}}, session, nil
}

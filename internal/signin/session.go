package signin

import (
	"context"
	"errors"
	"strings"
	"time"

	"rollcall/internal/awsmodel"
	"rollcall/internal/identity"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

const second = time.Second

// Session is the open session of a person who signed in.
type Session struct {
	// Self is the person who signed in. Caller is the one that the session acts
	// as: the role that it has switched to, or the person. Both have their
	// present names.
	Self, Caller principal.Caller
	// Role is the display name of that role; nil without one.
	Role    *Role
	Handle  string // identifies the session in Sessions and EndSession
	Created time.Time
	Expires time.Time

	row   store.SignInSession
	holds *principal.SignIn
}

// Role is a role that a session has switched to, with its display name and
// colour.
type Role struct{ Name, Color string }

// begin begins the session of a person.
func (s *Service) begin(ctx context.Context, v Visit, p *identity.Person, ticket *store.SignInTicket,
	h halfOpen) (Step, error) {
	var step Step
	var in *identity.Person
	err := s.api.SignIn(store.OnAccount(ctx, p.User.Account), v.Call, loginEvent(v, p, h.Serial),
		func(ctx context.Context) error {
			return s.db.Update(ctx, func(tx *store.Tx) (err error) {
				if in, err = current(tx, p, ticket); err != nil {
					return err
				}
				step, err = s.insertSession(tx, v, in, h)
				return err
			})
		})
	if errors.Is(err, errMoved) {
		err = ErrWrong
	}
	if err != nil {
		return Step{}, err
	}
	s.usedPassword(ctx, in.User)
	return step, nil
}

// Open finds the session of a token for one request. ErrRoleEnded comes with
// the session, which may then only be used with ExitRole.
func (s *Service) Open(ctx context.Context, token seal.Secret) (*Session, error) {
	proof, err := s.db.OpenSession(ctx, token.Reveal(), s.idle)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNoSession
	}
	if err != nil {
		return nil, err
	}
	row := proof.Session()
	session := &Session{Handle: row.Handle, Created: row.Created, Expires: row.Expires, row: *row}
	if session.holds, err = principal.ReadSignIn(proof); err != nil {
		return nil, err
	}
	if session.Self, session.Caller, err = principal.Opened(proof); err != nil {
		return nil, err
	}
	if session.Self, err = s.stillThere(ctx, session.Self, ErrNoSession); err != nil {
		return nil, err
	}
	if session.holds.Role == nil {
		session.Caller = session.Self
		return session, nil
	}
	session.Role = &Role{session.holds.RoleName, session.holds.RoleColor}
	if session.Caller, err = s.stillThere(ctx, session.Caller, ErrRoleEnded); err != nil {
		return session, err
	}
	if !s.db.Now().Before(session.Caller.Session().Expires) {
		return session, ErrRoleEnded
	}
	return session, nil
}

// stillThere returns a caller under its present name. If the caller does not
// exist any more, the error is gone.
func (s *Service) stillThere(ctx context.Context, c principal.Caller, gone error) (principal.Caller, error) {
	now, err := s.iam.Access().Current(ctx, c)
	var known *awsmodel.Error
	if errors.As(err, &known) {
		return c, gone
	}
	return now, err
}

// SignOut ends the session of a token, if there is one.
func (s *Service) SignOut(ctx context.Context, token seal.Secret) error {
	session, err := s.Open(ctx, token)
	if errors.Is(err, ErrNoSession) {
		return nil
	}
	if err != nil && !errors.Is(err, ErrRoleEnded) {
		return err
	}
	err = s.db.Update(store.WithoutEvent(ctx), func(tx *store.Tx) error {
		return tx.EndSession(session.row.Account,
			session.row.ID)
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// Grant is the part of a session that a developer tool gets to act for the
// person.
type Grant struct {
	Account, NameKey string // of the person who signed in
	Federated        bool   // the person is not a user
	Handle           string
	As               principal.Temporary // the identity that the session acts as
	Expires          time.Time
}

// Grant returns what a tool gets.
func (s *Session) Grant() Grant {
	g := Grant{
		Account: s.row.Account, NameKey: s.Self.NameKey(), Federated: s.row.Federated, Handle: s.Handle,
		As: s.holds.Self, Expires: s.Expires,
	}
	if s.holds.Role != nil {
		g.As = *s.holds.Role
	}
	if end := g.As.Session.Expires; end.Before(g.Expires) {
		g.Expires = end
	}
	return g
}

// Info is a session in a list for its owner.
type Info struct {
	Handle             string
	Created, Used      time.Time // Used has a resolution of a minute
	Expires            time.Time
	Address, UserAgent string
	Current            bool // the session that asks for the list
	Tool               bool // of a developer tool; Used is the time of its last credentials
}

// Sessions lists the open sessions of a session's person, the newest first. A
// session that began by federation only sees itself.
func (s *Service) Sessions(ctx context.Context, of *Session) ([]Info, error) {
	rows := []store.SignInSession{of.row}
	var tools []store.ToolSession
	if !of.row.Federated {
		err := s.db.View(ctx, func(tx *store.Tx) (err error) {
			if rows, err = tx.UserSessions(of.row.Account, of.Self.NameKey()); err != nil {
				return err
			}
			tools, err = tx.UserTools(of.row.Account, of.Self.NameKey())
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	now := s.db.Now()
	var all []Info
	for _, r := range rows {
		if now.Before(r.Expires) && now.Sub(r.Used) < s.idle {
			all = append(all, Info{r.Handle, r.Created, r.Used, r.Expires, r.Address, r.UserAgent, r.ID == of.row.ID, false})
		}
	}
	for _, t := range tools {
		if now.Before(t.Expires) && t.Ended == "" && t.Generation > 0 {
			all = append(all, Info{t.ID, t.Created, t.Renewed, t.Expires, t.Address, t.UserAgent, false, true})
		}
	}
	return all, nil
}

// EndSession ends a session of the same person, by its handle, and the tools'
// sessions that it granted. A session that has already ended is not an error.
func (s *Service) EndSession(ctx context.Context, of *Session, handle string) error {
	err := s.db.Update(store.WithoutEvent(ctx), func(tx *store.Tx) error {
		if of.row.Federated {
			if handle != of.row.Handle {
				return store.ErrNotFound
			}
			return tx.EndSession(of.row.Account, of.row.ID)
		}
		tools, err := tx.EndUserTool(of.row.Account, of.Self.NameKey(), handle)
		if err != nil {
			return err
		}
		if err := tx.EndUserSession(of.row.Account, of.Self.NameKey(), handle); !tools || !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return err
}

func newHandle() string { return seal.NewID("", 16) }

// Cut limits the length of a text that the client chose, and makes it valid.
func Cut(text string) string {
	const most = 256
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}

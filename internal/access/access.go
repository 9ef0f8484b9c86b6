// Package access decides whether a caller may call an action. It reads the
// policies that apply to the caller, holds the facts that conditions may use,
// and decides with package policy.
//
// A decision uses the policies in force at that moment, on every node. Anything
// unreadable leads to a refusal. The package knows no actions: its callers pass
// the resources of a call.
package access

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"rollcall/internal/awsmodel"
	"rollcall/internal/managedpolicy"
	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// Access decides on one store. It is safe for concurrent use.
type Access struct {
	db   *store.DB
	mu   sync.RWMutex
	docs map[docKey]*policy.Document
	size int // bytes of the texts of docs
}

// docKey is a document's text, or the name of its version, which is never JSON,
// and the kind of policy that it was parsed as.
type docKey struct {
	kind policy.Kind
	text string
}

// maxDocs and maxDocBytes limit the parsed documents in memory, which need
// several times the space of their text.
const (
	maxDocs     = 4096
	maxDocBytes = 8 << 20
)

// New returns the Access on a store.
func New(db *store.DB) *Access { return &Access{db: db, docs: map[docKey]*policy.Document{}} }

// Document parses a stored document, or returns the cached one.
func (a *Access) Document(kind policy.Kind, text string) (*policy.Document, error) {
	key := docKey{kind, text}
	if d := a.parsed(key); d != nil {
		return d, nil
	}
	d, err := policy.Stored(text, kind)
	if err == nil {
		a.keep(key, d)
	}
	return d, err
}

func (a *Access) parsed(key docKey) *policy.Document {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.docs[key]
}

func (a *Access) keep(key docKey, d *policy.Document) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for other := range a.docs { // a random one, so nobody can empty the whole cache by filling it
		if len(a.docs) < maxDocs && a.size < maxDocBytes {
			break
		}
		delete(a.docs, other)
		a.size -= len(other.text)
	}
	if a.docs[key] == nil {
		a.size += len(key.text)
	}
	a.docs[key] = d
}

// Subject is a caller with all facts that decide about its calls.
type Subject struct {
	Caller    principal.Caller
	Principal policy.Principal
	Policies  policy.Policies
	Tags      []store.Tag // of the user or role, and of the session
	Call      Call
}

// Call holds the facts about the origin of a call that conditions may use.
type Call struct {
	SourceIP  string
	UserAgent string
	Secure    bool // came over TLS
}

// Gather reads everything that decides about a caller. The error is
// InvalidClientTokenId if a session's user or role no longer exists.
func (a *Access) Gather(ctx context.Context, c principal.Caller, call Call) (*Subject, error) {
	for try := 1; ; try++ {
		s, err := a.gather(ctx, c, call)
		// A version may be deleted between two reads, once another is the
		// default.
		if !errors.Is(err, store.ErrNotFound) || try == 3 {
			return s, err
		}
		c = c.Reread()
	}
}

func (a *Access) gather(ctx context.Context, c principal.Caller, call Call) (*Subject, error) {
	c, g, err := a.current(ctx, c)
	if err != nil {
		return nil, err
	}
	s := &Subject{Caller: c, Call: call, Principal: principalOf(c)}
	if s.Policies, err = a.policies(ctx, c.Account(), g); err != nil {
		return nil, err
	}
	session := c.Session()
	if s.Tags = g.Tags; session != nil {
		s.Tags = withSessionTags(g.Tags, session.Tags)
		if err := a.addSession(ctx, s, session); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Current returns a caller with the name and the path that it has now. The
// error is InvalidClientTokenId if it no longer exists.
func (a *Access) Current(ctx context.Context, c principal.Caller) (principal.Caller, error) {
	c, _, err := a.current(ctx, c)
	return c, err
}

// current finds the policies that apply to a caller: by the name that it signed
// with or, if it was renamed since then, by its unique id. Another principal
// that took over the name, or the account's number, is not found.
func (a *Access) current(ctx context.Context, c principal.Caller) (principal.Caller, *store.Grants, error) {
	var g *store.Grants
	var err error
	switch g = c.Grants(); {
	case c.Kind() == principal.AssumedRole:
		role := c.Session().Role
		g, err = a.db.RoleGrants(ctx, c.Account(), role.NameKey)
		if err == nil && g.ID != role.ID {
			err = store.ErrNotFound
		}
	case g == nil || g.ID != c.User().ID:
		g, err = a.userGrants(ctx, c.User())
	}
	if err == nil && g.Instance != c.Instance() {
		err = store.ErrNotFound
	}
	if err == nil {
		err = a.toolGoesOn(ctx, c)
	}
	if errors.Is(err, store.ErrNotFound) {
		return c, nil, awsmodel.Fail("InvalidClientTokenId", "The security token included in the request is invalid.")
	}
	if err != nil {
		return c, nil, fmt.Errorf("read policies of %s: %w", c.ARN(), err)
	}
	return c.As(g.NameKey, g.Name, g.Path), g, nil
}

// errToolEnded has the words for expired credentials, so the SDKs request new
// ones and learn why there are none.
var errToolEnded = awsmodel.Fail("ExpiredToken", "The security token included in the request is expired")

// toolGoesOn returns an error for credentials of a developer tool whose session
// has ended.
func (a *Access) toolGoesOn(ctx context.Context, c principal.Caller) error {
	session := c.Session()
	if session == nil || session.Tool == "" {
		return nil
	}
	account, id, _ := strings.Cut(session.Tool, "/")
	open, err := a.db.ToolOpen(ctx, account, id)
	if err == nil && !open {
		err = errToolEnded
	}
	return err
}

// userGrants reads the policies that apply to a user, who may have been
// renamed.
func (a *Access) userGrants(ctx context.Context, u store.User) (*store.Grants, error) {
	nameKey := u.NameKey
	for try := 1; ; try++ {
		g, err := a.db.UserGrants(ctx, u.Account, nameKey)
		if err == nil && g.ID == u.ID {
			return g, nil
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		// The user may also be renamed between the two reads.
		if try == 3 {
			return nil, store.ErrNotFound
		}
		named, err := a.db.UserByID(ctx, u.Account, u.ID)
		if err != nil {
			return nil, err
		}
		nameKey = named.NameKey
	}
}

// policies parses the policies that apply to a principal. An unreadable
// document, or an attachment of a missing policy, is an error, because omitting
// a deny would open a security hole.
func (a *Access) policies(ctx context.Context, account string, g *store.Grants) (p policy.Policies, err error) {
	for i := range g.Policies {
		grant := &g.Policies[i]
		var kind policy.Kind
		var list *[]policy.Policy
		switch grant.Kind {
		case store.InlineGrant:
			kind, list = policy.Inline, &p.Identity
		case store.ManagedGrant:
			kind, list = policy.Managed, &p.Identity
		case store.BoundaryGrant:
			kind, list = policy.Boundary, &p.Boundary
		case store.ControlGrant:
			kind, list = policy.Control, &p.Control
		default:
			return p, fmt.Errorf("policy of kind %q", grant.Kind)
		}
		d, err := a.granted(ctx, account, kind, grant)
		if err != nil {
			return p, fmt.Errorf("stored policy %s%s: %w", grant.ARN, grant.Name, err)
		}
		*list = append(*list, policy.Policy{Document: d, ARN: grant.ARN, Name: grant.Name})
	}
	return p, nil
}

// granted returns the document of a grant. It finds documents of the account's
// own policies by the name of their version, which is read once.
func (a *Access) granted(
	ctx context.Context, account string, kind policy.Kind, grant *store.Grant,
) (*policy.Document, error) {
	if grant.Version == "" {
		text := grant.Document
		if aws := managedpolicy.Find(grant.ARN); text == "" && aws != nil {
			text = aws.Document
		}
		return a.Document(kind, text)
	}
	key := docKey{kind, account + " " + grant.Version}
	if d := a.parsed(key); d != nil {
		return d, nil
	}
	var text string
	err := a.db.View(ctx, func(tx *store.Tx) (err error) {
		text, err = tx.VersionDocument(account, grant.ARN, grant.Version)
		return err
	})
	if err != nil {
		return nil, err
	}
	d, err := policy.Stored(text, kind)
	if err == nil {
		a.keep(key, d)
	}
	return d, err
}

// addSession adds the policies of a session.
func (a *Access) addSession(ctx context.Context, s *Subject, session *principal.Session) error {
	s.Policies.SessionRequired = session.Federated
	if session.Policy != "" {
		d, err := a.Document(policy.Session, session.Policy)
		if err != nil {
			return fmt.Errorf("session policy: %w", err)
		}
		s.Policies.Session = append(s.Policies.Session, policy.Policy{Document: d})
	}
	if session.TaskPolicy != "" {
		// The boundary denies everything except its task, and allows nothing,
		// because root needs no allow.
		task, err := a.Managed(ctx, s.Caller.Account(), session.TaskPolicy)
		if err != nil {
			return fmt.Errorf("task policy %s: %w", session.TaskPolicy, err)
		}
		all, err := a.Document(policy.Session, allowAll)
		if err != nil {
			return err
		}
		s.Policies.Session = append(s.Policies.Session, task, policy.Policy{Document: all})
	}
	for _, arn := range session.PolicyARNs {
		p, err := a.Managed(ctx, s.Caller.Account(), arn)
		switch {
		case errors.Is(err, store.ErrNotFound):
			// The policy was deleted since then. It allows nothing, and the
			// limit must stay although there is no document.
			s.Policies.SessionRequired = true
		case err != nil:
			return err
		default:
			s.Policies.Session = append(s.Policies.Session, p)
		}
	}
	return nil
}

const allowAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// Managed reads the default version of a managed policy by its ARN, either
// AWS's own or one of the account. It returns ErrNotFound if there is none.
func (a *Access) Managed(ctx context.Context, account, arn string) (policy.Policy, error) {
	p := policy.Policy{ARN: arn}
	var text string
	if aws := managedpolicy.Find(arn); aws != nil {
		text = aws.Document
	} else {
		err := a.db.View(ctx, func(tx *store.Tx) (err error) {
			text, err = tx.DefaultDocument(account, arn)
			return err
		})
		if err != nil {
			return p, err
		}
	}
	var err error
	p.Document, err = a.Document(policy.Managed, text)
	return p, err
}

// principalOf returns the caller in the form of package policy.
func principalOf(c principal.Caller) policy.Principal {
	p := policy.Principal{ARN: c.ARN(), Account: c.Account(), ID: c.UserID()}
	switch c.Kind() {
	case principal.Root:
		p.Type = policy.Root
	case principal.AssumedRole:
		p.Type = policy.RoleSession
		r := c.Session().Role
		p.Role, p.ID = principal.RoleARN(c.Partition(), c.Account(), r.Path, r.Name), r.ID
	case principal.FederatedUser:
		p.Type = policy.FederatedUser
	default:
		p.Type = policy.User
	}
	return p
}

// withSessionTags returns the tags of a principal with those of its session,
// which replace its own. STS, session tags.
func withSessionTags(own, session []store.Tag) []store.Tag {
	if len(session) == 0 {
		return own
	}
	tags := append([]store.Tag(nil), session...)
	for _, t := range own {
		replaced := false
		for _, with := range session {
			replaced = replaced || with.Fold == t.Fold
		}
		if !replaced {
			tags = append(tags, t)
		}
	}
	return tags
}

type key struct{}

// With returns a context that carries the subject of a call.
func With(ctx context.Context, s *Subject) context.Context { return context.WithValue(ctx, key{}, s) }

// Of returns the subject of a call. For a context without one it panics,
// because that is a mistake in the program.
func Of(ctx context.Context) *Subject { return ctx.Value(key{}).(*Subject) }

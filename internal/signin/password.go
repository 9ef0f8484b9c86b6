package signin

import (
	"context"
	"errors"
	"strings"
	"time"

	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// Attempt holds the input of a person who begins a sign-in.
type Attempt struct {
	Account  string // its number or alias
	User     string // not for root
	Root     bool
	Password seal.Secret
}

// Kind says which input a Step asks for.
type Kind string

// The kinds of steps.
const (
	Done        Kind = "done"         // Token is the session's
	Device      Kind = "device"       // one of Devices must be proven
	NewPassword Kind = "new-password" // another password must be chosen
)

// Step says how far a sign-in has come.
type Step struct {
	Kind    Kind
	Token   seal.Secret
	Expires time.Time // of the token
	Devices []identity.MFADevice
	// PasswordExpires is set on Done where that is less than 15 days away. IAM:
	// the console warns from then on.
	PasswordExpires time.Time
	// Expired says of NewPassword that the old one has expired; otherwise
	// somebody else has set it.
	Expired bool
}

// warnBefore is the time before its end during which a person is told that the
// password expires.
const warnBefore = 15 * 24 * time.Hour

// maxPassword bounds what is hashed; IAM's passwords have 128 characters.
const maxPassword = 1024

// Begin takes the password of somebody who wants to sign in. Where too many do,
// nothing is read from the store, so that a flood costs little.
func (s *Service) Begin(ctx context.Context, v Visit, a Attempt) (Step, error) {
	leave, err := s.hashing.enter()
	if err != nil {
		rec := strangerEvent(v, nil, "", a.Root)
		rec.ErrorMessage = textFailed
		s.api.RecordSignIn(ctx, v.Call, rec)
		return Step{}, err
	}
	defer leave()
	account, p, err := s.find(ctx, a)
	if err != nil {
		return Step{}, err
	}
	named, name := account, a.User
	if account == "" {
		named = "?" + strings.ToLower(a.Account)
	}
	if a.Root {
		name = ""
	} else if name == "" {
		name = "?" // root has the empty name
	}
	ok, t, err := s.tryPassword(ctx, v, named, name, p, a.Password)
	if !ok || err != nil {
		s.api.RecordSignIn(ctx, v.Call, strangerEvent(v, p, account, a.Root))
		if err == nil {
			err = ErrWrong
		}
		return Step{}, err
	}
	if at, hard := p.PasswordExpires(); hard && !s.db.Now().Before(at) {
		s.api.RecordSignIn(ctx, v.Call, loginEvent(v, p, "")(ErrPasswordExpired))
		return Step{}, ErrPasswordExpired
	}
	h := halfOpen{From: t.from, To: v.To}
	if len(p.Devices) == 0 {
		return s.admit(ctx, v, p, nil, h)
	}
	step, err := s.hold(ctx, p, nil, Device, h)
	if err == nil {
		s.api.RecordSignIn(ctx, v.Call, event(checkMFA, identityOf(p, false), p.User.Account, nil,
			map[string]string{"MfaType": mfaType(p.Devices)}))
		step.Devices = p.Devices
	}
	return step, err
}

// find reads who an attempt is of. p is nil where there is nobody, account ""
// where there is no such account.
func (s *Service) find(ctx context.Context, a Attempt) (account string, p *identity.Person, err error) {
	if account, err = s.iam.AccountNamed(ctx, a.Account); err != nil || account == "" {
		return "", nil, err
	}
	p, err = s.iam.Person(ctx, account, a.User, a.Root)
	if errors.Is(err, store.ErrNotFound) {
		return account, nil, nil
	}
	return account, p, err
}

// tryPassword says whether a password is the person's, who may be nil. It takes
// as long whoever it is, and counts the try before it begins. The caller has
// entered the queue for hashing.
func (s *Service) tryPassword(ctx context.Context, v Visit, account, name string, p *identity.Person,
	pw seal.Secret) (bool, *try, error) {
	t, err := s.newTry(ctx, account, name, p != nil, v.SourceIP)
	if err != nil {
		return false, t, err
	}
	ctx = store.OnAccount(ctx, account)
	if err := s.mustWait(ctx, t); err != nil {
		return false, t, err
	}
	done, err := s.hashing.work(ctx)
	if err != nil {
		return false, t, err
	}
	defer done()
	if err := s.reserve(ctx, t); err != nil {
		return false, t, err
	}
	if len(pw.Reveal()) > maxPassword {
		p, pw = nil, seal.Secret{}
	}
	ok, err := s.iam.CheckPassword(ctx, p, pw)
	if !ok || err != nil {
		return false, t, err
	}
	return true, t, s.wasRight(ctx, t)
}

// admit lets a person in who has proven all that it can prove, unless another
// password is needed. ticket is the step that it comes from, nil for none.
func (s *Service) admit(ctx context.Context, v Visit, p *identity.Person, ticket *store.SignInTicket,
	h halfOpen) (Step, error) {
	expires, _ := p.PasswordExpires()
	expired := !expires.IsZero() && !s.db.Now().Before(expires)
	if !expired && !p.Profile.ResetRequired {
		return s.begin(ctx, v, p, ticket, h)
	}
	may, err := s.iam.MayChangePassword(ctx, p, h.MFA, v.Conditions())
	if err != nil {
		return Step{}, err
	}
	if !may {
		s.api.RecordSignIn(ctx, v.Call, loginEvent(v, p, h.Serial)(ErrMayNotChange))
		return Step{}, ErrMayNotChange
	}
	step, err := s.hold(ctx, p, ticket, NewPassword, h)
	step.Expired = expired
	return step, err
}

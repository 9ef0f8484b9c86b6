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

// Attempt is the input at the beginning of a sign-in.
type Attempt struct {
	Account  string // its number or alias
	User     string // empty for root
	Root     bool
	Password seal.Secret
}

// Kind says what a Step asks for.
type Kind string

// The kinds of steps.
const (
	Done        Kind = "done"         // Token belongs to the session
	Device      Kind = "device"       // the person must verify one of Devices
	NewPassword Kind = "new-password" // the person must choose another password
)

// Step is the state of a sign-in.
type Step struct {
	Kind    Kind
	Token   seal.Secret
	Expires time.Time // end of the token
	Devices []identity.MFADevice
	// PasswordExpires is set on Done if it is less than 15 days away. IAM: from
	// then on the console shows a warning.
	PasswordExpires time.Time
	// Expired is set on NewPassword if the old password has expired. Otherwise
	// an administrator has set it.
	Expired bool
}

// warnBefore is the time before a password expires during which the person is
// warned.
const warnBefore = 15 * 24 * time.Hour

// maxPassword limits the length of a hashed text. IAM's passwords have up to
// 128 characters.
const maxPassword = 1024

// Begin checks the password of a person who wants to sign in. If too many
// sign-ins are waiting, it reads nothing from the store, so a flood costs
// little.
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

// find reads the person of an attempt. p is nil if there is no such person, and
// account is "" if there is no such account.
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

// tryPassword says whether a password is the person's. p may be nil. It always
// takes the same time, and counts the attempt before it begins. The caller has
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

// admit signs in a person who has verified everything required, unless another
// password is needed. ticket is the previous step, nil for none.
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

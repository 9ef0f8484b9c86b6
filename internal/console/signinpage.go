package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/signin"
)

// The pages for the steps of package signin.
const (
	signInPath      = "/console/sign-in"
	mfaPath         = "/console/sign-in/mfa"
	newPasswordPath = "/console/sign-in/new-password"
	signOutPath     = "/console/sign-out"
	rolePath        = "/console/role"
)

func (c *Console) signInPages() []page {
	return []page{
		{
			path: signInPath, title: "Sign in", open: true, step: true, get: c.signInPage,
			post: posts{"sign-in": c.begin},
		},
		{
			path: mfaPath, title: "Multi-factor authentication", open: true, step: true, get: c.mfaPage,
			post: posts{
				"code":        c.answerCode,
				"ask-passkey": c.askPasskey,
				"passkey":     c.answerPasskey,
				"leave":       c.leaveStep,
			},
		},
		{
			path: newPasswordPath, title: "Choose a new password", open: true, step: true, get: c.newPasswordPage,
			post: posts{"choose": c.choosePassword, "leave": c.leaveStep},
		},
		{
			path:  signOutPath,
			title: "Sign out",
			open:  true,
			step:  true,
			get:   c.signOutPage,
			post:  posts{"sign-out": c.signOut},
		},
		{
			path:  rolePath,
			title: "Switch role",
			get:   c.rolePage,
			post:  posts{"switch": c.switchRole, "exit": c.exitRole},
		},
	}
}

// signInView is the data of the sign-in page.
type signInView struct {
	Root     bool
	To       string
	Fields   []field
	As       string // "root" or ""
	OtherWay string
}

func (c *Console) signInPage(v *visit) error {
	if v.session != nil && v.r.Method != http.MethodPost {
		return v.to(c.ours(v.query("to")))
	}
	root, to := v.query("as") == "root", v.query("to")
	account, user := v.query("account"), ""
	if v.r.Method == http.MethodPost {
		root, to = v.field("as") == "root", v.field("to")
		account, user = v.field("account"), v.field("user")
	}
	s := signInView{Root: root, To: to}
	s.Fields = append(
		s.Fields,
		field{
			Name:     "account",
			Label:    "Account ID or alias",
			Value:    account,
			Complete: "organization",
			Max:      63,
			Focus:    account == "",
		},
	)
	if root {
		s.As, s.OtherWay = "root", link(signInPath, "to", to)
	} else {
		s.OtherWay = link(signInPath, "as", "root", "to", to)
		s.Fields = append(s.Fields,
			field{Name: "user", Label: "IAM user name", Value: user, Complete: "username", Max: 64})
	}
	s.Fields = append(
		s.Fields,
		field{Name: "password", Label: "Password", Type: "password", Complete: "current-password"},
	)
	return v.show(s.html())
}

// visitOf describes the browser to package signin.
func (v *visit) visitOf(to string) signin.Visit {
	call := v.call
	return signin.Visit{Call: call, To: v.url + to}
}

func (c *Console) begin(v *visit) error {
	step, err := c.signIn.Begin(v.r.Context(), v.visitOf(c.ours(v.field("to"))), signin.Attempt{
		Account: strings.TrimSpace(v.field("account")), User: v.field("user"), Root: v.field("as") == "root",
		Password: seal.NewSecret(v.field("password")),
	})
	if err != nil {
		return v.again(err, c.signInPage)
	}
	return v.step(step, v.field("to"))
}

// again shows the page of a form again, with the error.
func (v *visit) again(err error, show func(*visit) error) error {
	p := v.explain(err)
	if p.Status >= http.StatusInternalServerError && p.Status != http.StatusServiceUnavailable {
		return p
	}
	var refused *signin.Refusal
	if errors.As(err, &refused) && refused.RetryAfter > 0 {
		v.w.Header().Set("Retry-After", seconds(refused.RetryAfter))
	}
	v.problem, v.status = p, p.Status
	return show(v)
}

// step stores the token of the next step, or of the session, and redirects.
func (v *visit) step(step signin.Step, to string) error {
	switch step.Kind {
	case signin.Device:
		v.cookies.set(v.w, stepCookie, step.Token.Reveal(), int(stepLife/time.Second))
		return v.to(link(mfaPath, "to", to))
	case signin.NewPassword:
		v.cookies.set(v.w, stepCookie, step.Token.Reveal(), int(stepLife/time.Second))
		return v.to(link(newPasswordPath, "to", to))
	}
	v.cookies.clear(v.w, stepCookie)
	if v.token.Reveal() != "" {
		// The previous session of the browser must end.
		if err := v.signIn.SignOut(v.r.Context(), v.token); err != nil {
			v.log.WarnContext(v.r.Context(), "previous session not ended", "error", err)
		}
	}
	v.cookies.set(v.w, sessionCookie, step.Token.Reveal(), 0)
	if !step.PasswordExpires.IsZero() {
		v.cookies.notify(v.w, "Your password expires on "+step.PasswordExpires.UTC().Format(time.DateOnly)+".")
	}
	return v.to(v.ours(to))
}

// stepLife is the time for which a browser keeps the token of a step.
const stepLife = 10 * time.Minute

// resumed finds the step of the cookie. If the cookie belongs to another kind
// of step, it redirects the browser to that step's page.
func (v *visit) resumed(kind signin.Kind) (signin.Step, *identity.Person, error) {
	step, p, err := v.signIn.Resume(v.r.Context(), v.cookies.token(v.r, stepCookie))
	if errors.Is(err, signin.ErrStepGone) || err == nil && step.Kind != kind {
		v.cookies.clear(v.w, stepCookie)
		return step, nil, signin.ErrStepGone
	}
	return step, p, err
}

// mfaView is the data of the page of the second step.
type mfaView struct {
	To       string
	Codes    []device // devices that show codes
	Passkeys []string
	Unusable string // why passkeys do not work
	Fields   []field
}

type device struct {
	Serial, Name string
	Chosen       bool
}

func (c *Console) mfaPage(v *visit) error {
	step, _, err := v.resumed(signin.Device)
	if err != nil {
		return v.beginAgain(err)
	}
	m := mfaView{To: v.destination()}
	for _, d := range step.Devices {
		if d.Passkey {
			m.Passkeys = append(m.Passkeys, deviceName(d.Serial))
			continue
		}
		m.Codes = append(m.Codes, device{d.Serial, deviceName(d.Serial), d.Serial == v.field("serial")})
	}
	if len(m.Passkeys) > 0 {
		if err := c.signIn.PasskeysUsable(); err != nil {
			m.Unusable = err.Error()
		}
	}
	m.Fields = []field{
		{
			Name:     "code",
			Label:    "Code of the device",
			Complete: "one-time-code",
			Pattern:  "[0-9]{6}",
			Short:    true,
			Max:      6,
			Focus:    true,
		},
	}
	return v.show(m.html())
}

// destination returns the page to go to after signing in, from the form or the
// query.
func (v *visit) destination() string {
	if v.r.Method == http.MethodPost {
		return v.field("to")
	}
	return v.query("to")
}

// beginAgain shows the first page of signing in if a step has ended.
func (v *visit) beginAgain(err error) error {
	if !errors.Is(err, signin.ErrStepGone) {
		return err
	}
	v.cookies.clear(v.w, stepCookie)
	v.cookies.notify(v.w, signin.ErrStepGone.Text)
	return v.to(link(signInPath, "to", v.destination()))
}

// deviceName returns the last part of a serial number, which its owner chose.
func deviceName(serial string) string {
	name := serial[strings.LastIndexByte(serial, '/')+1:]
	if !strings.Contains(serial, ":u2f/") {
		return name
	}
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		name = name[:i] // the rest is random
	}
	return name
}

func (c *Console) answerCode(v *visit) error {
	step, err := c.signIn.AnswerCode(v.r.Context(), v.visitOf(c.ours(v.field("to"))), v.cookies.token(v.r, stepCookie),
		v.field("serial"), v.field("code"))
	return v.afterDevice(step, err)
}

func (c *Console) answerPasskey(v *visit) error {
	step, err := c.signIn.AnswerPasskey(
		v.r.Context(),
		v.visitOf(c.ours(v.field("to"))),
		v.cookies.token(v.r, stepCookie),
		[]byte(v.field("answer")),
	)
	return v.afterDevice(step, err)
}

func (v *visit) afterDevice(step signin.Step, err error) error {
	switch {
	case errors.Is(err, signin.ErrStepGone):
		return v.beginAgain(err)
	case err != nil:
		return v.again(err, v.mfaPage)
	}
	return v.step(step, v.field("to"))
}

// askPasskey sends the script the browser's request to a passkey.
func (c *Console) askPasskey(v *visit) error {
	return v.json(func(ctx context.Context) (any, error) {
		return c.signIn.AskPasskey(ctx, v.cookies.token(v.r, stepCookie))
	})
}

// json answers the script. An error is {"problem": text}.
func (v *visit) json(make func(context.Context) (any, error)) error {
	out, err := make(v.r.Context())
	if err != nil {
		p := v.explain(err)
		v.status, out = p.Status, map[string]string{"problem": p.Text}
	}
	return v.writeJSON(out)
}

func (c *Console) newPasswordPage(v *visit) error {
	step, p, err := v.resumed(signin.NewPassword)
	if err != nil {
		return v.beginAgain(err)
	}
	s := newPasswordView{
		step.Expired, v.destination(), append([]field{{Type: "user", Value: p.User.Name}}, newPasswordFields()...),
	}
	return v.show(s.html())
}

// newPasswordView is the data of the page that asks for a new password.
type newPasswordView struct {
	Expired bool
	To      string
	Fields  []field
}

// newPasswordFields returns the two fields for a new password.
func newPasswordFields() []field {
	return []field{
		{Name: "new", Label: "New password", Type: "password", Complete: "new-password"},
		{Name: "again", Label: "New password, once more", Type: "password", Complete: "new-password"},
	}
}

// newPassword returns the new password, which the user has typed twice.
func (v *visit) newPassword() (seal.Secret, error) {
	if v.field("new") != v.field("again") {
		return seal.Secret{}, &problem{Status: http.StatusBadRequest, Text: "The two new passwords are not the same."}
	}
	return seal.NewSecret(v.field("new")), nil
}

func (c *Console) choosePassword(v *visit) error {
	pw, err := v.newPassword()
	if err != nil {
		return v.again(err, c.newPasswordPage)
	}
	step, err := c.signIn.ChoosePassword(
		v.r.Context(),
		v.visitOf(c.ours(v.field("to"))),
		v.cookies.token(v.r, stepCookie),
		pw,
	)
	switch {
	case errors.Is(err, signin.ErrStepGone):
		return v.beginAgain(err)
	case err != nil:
		return v.again(err, c.newPasswordPage)
	}
	return v.step(step, v.field("to"))
}

// leaveStep abandons a sign-in.
func (c *Console) leaveStep(v *visit) error {
	v.cookies.clear(v.w, stepCookie)
	return v.to(link(signInPath, "to", v.field("to")))
}

func (c *Console) signOutPage(v *visit) error { return v.to(Root) }

func (c *Console) signOut(v *visit) error {
	if err := c.signIn.SignOut(v.r.Context(), v.token); err != nil {
		return err
	}
	v.cookies.clear(v.w, sessionCookie)
	return v.done(signInPath, "You are signed out.")
}

func seconds(d time.Duration) string {
	text, _ := json.Marshal(int((d + time.Second - 1) / time.Second))
	return string(text)
}

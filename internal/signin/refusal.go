package signin

import (
	"time"
)

// Reason says why a step was refused.
type Reason string

// The reasons.
const (
	Wrong           Reason = "wrong"            // wrong account, user, password, code or device
	Paused          Reason = "paused"           // too many attempts: see RetryAfter
	Busy            Reason = "busy"             // too many sign-ins at once
	StepGone        Reason = "step-gone"        // the token of a step is unknown, used or too old
	NoSession       Reason = "no-session"       // the token of a session is unknown or too old
	RoleEnded       Reason = "role-ended"       // the session's role cannot be used any more: see ExitRole
	PasswordExpired Reason = "password-expired" // an administrator must set another password
	MayNotChange    Reason = "may-not-change"   // another password is needed, but iam:ChangePassword is missing
	NoPasskeys      Reason = "no-passkeys"      // see PasskeysUsable
	BadInput        Reason = "bad-input"        // a form contains an invalid value
)

// Refusal is the error of a refused step. Text is for the person. Other errors
// are *awsmodel.Error, with a text for the person, or internal.
type Refusal struct {
	Reason     Reason
	Text       string
	RetryAfter time.Duration // set for Paused and Busy
}

func (r *Refusal) Error() string { return r.Text }

// Is says whether two refusals have the same reason.
func (r *Refusal) Is(target error) bool {
	other, ok := target.(*Refusal)
	return ok && other.Reason == r.Reason
}

// Refusals that are always the same. They can be used with errors.Is.
var (
	// ErrWrong has AWS's text, which is the same for every cause.
	ErrWrong  = &Refusal{Reason: Wrong, Text: "Your authentication information is incorrect. Please try again."}
	ErrPaused = &Refusal{Reason: Paused}
	ErrBusy   = &Refusal{Reason: Busy, Text: "Too many people are signing in at this moment. Please try again.",
		RetryAfter: time.Second}
	ErrStepGone  = &Refusal{Reason: StepGone, Text: "This sign-in has ended. Please begin again."}
	ErrNoSession = &Refusal{Reason: NoSession, Text: "You are not signed in, or your session has ended."}
	ErrRoleEnded = &Refusal{Reason: RoleEnded,
		Text: "The session of the role has ended. Switch back, or switch to it " +
			"again."}
	// ErrPasswordExpired is for accounts with HardExpiry.
	ErrPasswordExpired = &Refusal{Reason: PasswordExpired, Text: "Your password has expired. Ask an administrator of " +
		"your account to set another one."}
	ErrMayNotChange = &Refusal{Reason: MayNotChange, Text: "You must choose another password, and your permissions " +
		"do not let you " +
		"(iam:ChangePassword). Ask an administrator of your account."}
)

// paused returns the refusal of an attempt that comes too early.
func paused(wait time.Duration) error {
	wait = max(wait, time.Second).Round(time.Second)
	return &Refusal{Reason: Paused, Text: "There were too many tries. Please try again in " + wait.String() + ".",
		RetryAfter: wait}
}

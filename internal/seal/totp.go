package seal

import (
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"rsc.io/qr"
)

// A virtual MFA device is TOTP (RFC 6238): SHA-1, six digits, steps of 30 s
// since 1970. Its drift is the number of steps that its clock is ahead of ours.
const (
	stepSeconds = 30
	codeDigits  = 6
	seedBytes   = 40 // 64 base32 characters, as AWS's virtual devices have

	// These constants limit the difference between the second code of a pair
	// and the device's clock. They were observed on AWS, which publishes no
	// figure.
	pairBehind = 998
	pairAhead  = 1000

	// signInWindow limits the difference between a code at sign-in and the
	// device's clock, in both directions (recorded).
	signInWindow = 2
)

// NewTOTPSeed returns a random seed as base32 text of 64 characters without
// padding.
func NewTOTPSeed() Secret {
	return NewSecret(base32.StdEncoding.EncodeToString(randomBytes(seedBytes)))
}

// MatchPair looks for two consecutive codes, in the order the device showed
// them, as EnableMFADevice and ResyncMFADevice pass them. It searches around
// now plus the device's drift (zero for a new device), the second code from 998
// steps behind to 1000 ahead. Both codes must be newer than lastStep, the step
// of the second code of the last accepted pair (zero for none), so neither a
// pair nor one of its codes works twice. Equal and reversed codes do not match.
//
// Store step and newDrift with the device, in the transaction that read
// lastStep. A failed search costs 2000 HMACs, about 5 ms.
func MatchPair(seed Secret, code1, code2 string, now time.Time, drift, lastStep int64) (step, newDrift int64, ok bool) {
	if !isCode(code1) || !isCode(code2) || code1 == code2 {
		return 0, 0, false
	}
	clock := stepAt(now)
	for i := int64(0); i <= pairAhead; i++ {
		// The nearest steps come first, so an honest device is found
		// immediately.
		for _, s := range [2]int64{clock + drift + i, clock + drift - i} {
			if s-1 <= lastStep || s < clock+drift-pairBehind {
				continue
			}
			if isCodeOf(seed, s, code2) && isCodeOf(seed, s-1, code1) {
				return s, s - clock, true
			}
		}
	}
	return 0, 0, false
}

// CodeWindow returns the first and the last step whose codes MatchCode accepts
// now from a device whose clock is drift steps ahead of ours. Codes of steps
// before oldest will never be accepted again, however the device is
// synchronized, so records of their use can be deleted. MatchPair goes back by
// at most pairBehind, and only once, because every pair is newer than the
// previous one.
func CodeWindow(now time.Time, drift int64) (first, last, oldest int64) {
	clock := stepAt(now) + drift
	return clock - signInWindow, clock + signInWindow, clock - signInWindow - pairBehind
}

// MatchCode finds the code that a device shows now, within two steps, if its
// clock is drift steps ahead of ours. The codes of the steps in used do not
// match, so each works once, in any order. The codes of a pair that MatchPair
// accepted work as well. The caller stores step among the used steps in the
// transaction that read them.
func MatchCode(seed Secret, code string, now time.Time, drift int64, used []int64) (step int64, ok bool) {
	if !isCode(code) {
		return 0, false
	}
	first, last, _ := CodeWindow(now, drift)
	for s := first; s <= last; s++ {
		if !slices.Contains(used, s) && isCodeOf(seed, s, code) {
			return s, true
		}
	}
	return 0, false
}

func stepAt(t time.Time) int64 { return t.Unix() / stepSeconds }

// isCode accepts six ASCII digits and nothing else.
func isCode(s string) bool {
	if len(s) != codeDigits {
		return false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func isCodeOf(seed Secret, step int64, code string) bool {
	if step < 0 {
		return false
	}
	want, err := hotp.GenerateCodeCustom(seed.Reveal(), uint64(step), hotp.ValidateOpts{
		Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1,
	})
	return err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1
}

// MFAURI returns the content of a device's QR code, as IAM's model says:
// otpauth://totp/<device>@<owner>?secret=<base32>. owner is the user's name, or
// the account number for the device of root.
func MFAURI(device, owner string, seed Secret) Secret {
	// Query escaping also hides the + = @ and , of IAM names, which some
	// authenticators would misread.
	return NewSecret("otpauth://totp/" + url.QueryEscape(device) + "@" + url.QueryEscape(owner) +
		"?secret=" + url.QueryEscape(seed.Reveal()))
}

// MFAQRCode draws the URI of MFAURI as PNG. It fails for a text of more than
// some 2300 bytes.
func MFAQRCode(uri Secret) ([]byte, error) {
	code, err := qr.Encode(uri.Reveal(), qr.M)
	if err != nil {
		return nil, fmt.Errorf("draw QR code: %w", err)
	}
	return code.PNG(), nil
}

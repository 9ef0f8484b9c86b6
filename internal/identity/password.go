package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// A password is set in three steps, because hashing takes long and a
// transaction must not take long. First the state that decides about the
// password is read. Then the password is judged and hashed. Then it is written
// if the state has not changed. Otherwise all steps are repeated.

// keptPasswords is the number of a user's passwords that are remembered. It is
// the maximum that PasswordReusePrevention can ask for, so that a stricter
// policy later finds the passwords that it needs.
const keptPasswords = 24

// passwordState is everything that decides whether a user may get a password.
type passwordState struct {
	user    store.User
	profile store.LoginProfile // zero if the user has no password
	rules   passwordRules
	history []string // hashes, newest first, including the present one
}

// passwordRules are the rules that a password must meet.
type passwordRules struct {
	policy store.PasswordPolicy // ignored if custom is false
	custom bool
	alias  string // the account's alias
}

func (s passwordState) has() bool { return s.profile.Hash != "" }

func (s passwordState) equal(t passwordState) bool {
	return s.user == t.user && s.profile == t.profile && s.rules == t.rules && slices.Equal(s.history, t.history)
}

func readPasswordState(tx *store.Tx, u store.User) (st passwordState, err error) {
	st.user = u
	if st.profile, err = absent(tx.LoginProfile(u.Account, u.NameKey)); err != nil {
		return st, err
	}
	if st.rules, err = readPasswordRules(tx, u.Account); err != nil {
		return st, err
	}
	if u.NameKey == "" {
		st.rules = passwordRules{alias: st.rules.alias} // the account's policy applies only to its users
	}
	st.history, err = tx.PasswordHistory(u.Account, u.NameKey)
	return st, err
}

func readPasswordRules(tx *store.Tx, account string) (r passwordRules, err error) {
	r.policy, err = tx.PasswordPolicy(account)
	r.custom = err == nil
	if _, err = absent(r.policy, err); err != nil {
		return r, err
	}
	r.alias, err = absent(tx.Alias(account))
	return r, err
}

// absent returns the zero value instead of an error if the row does not exist.
func absent[T any](row T, err error) (T, error) {
	if errors.Is(err, store.ErrNotFound) {
		var zero T
		return zero, nil
	}
	return row, err
}

// The classes of characters for judging a password. IAM User Guide, account
// password policy: Latin letters, digits, and these symbols. Other characters
// that IAM allows in a password belong to no class.
var passwordClasses = []struct{ chars, lack string }{
	{"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "Password should have at least one uppercase letter"},
	{"abcdefghijklmnopqrstuvwxyz", "Password should have at least one lowercase letter"},
	{"0123456789", "Password should have at least one number"},
	{"!@#$%^&*()_+-=[]{}|'", "Password should have at least one symbol"},
}

// defaultMinimumLength and defaultClasses are the policy of an account without
// its own policy.
const (
	defaultMinimumLength = 8
	defaultClasses       = 3
)

// check returns an error that lists the rules that a password breaks. The
// model's check has already verified the length of at most 128 characters and
// the allowed characters. The sentences are recorded one at a time. Several are
// joined as those of the default policy are.
func (r passwordRules) check(pw seal.Secret) error {
	text := pw.Reveal()
	minimum := defaultMinimumLength
	if r.custom {
		minimum = r.policy.MinimumLength
	}
	var broken []string
	if utf8.RuneCountInString(text) < minimum {
		broken = append(broken, "Password should have a minimum length of "+strconv.Itoa(minimum))
	}
	required := []bool{r.policy.RequireUpper, r.policy.RequireLower, r.policy.RequireNumbers, r.policy.RequireSymbols}
	var lacking []string
	for i, class := range passwordClasses {
		if (required[i] || !r.custom) && !strings.ContainsAny(text, class.chars) {
			lacking = append(lacking, class.lack)
		}
	}
	switch more := defaultClasses - (len(passwordClasses) - len(lacking)); {
	case r.custom:
		broken = append(broken, lacking...)
	case more > 0:
		broken = append(broken, fmt.Sprintf("Password should meet %d more of the following requirements: %s", more,
			strings.Join(lacking, ", ")))
	}
	// Only IAM's default policy has this rule. Its sentence is not recorded.
	if !r.custom && r.alias != "" && strings.EqualFold(text, r.alias) {
		broken = append(broken, "Password should not be the name of the account")
	}
	if len(broken) > 0 {
		return fail("PasswordPolicyViolation", "%s", strings.Join(broken, ", "))
	}
	return nil
}

// checkReuse refuses a password that is among the user's last ones, including
// the present one. The policy says how many. Each comparison costs a hash.
func (s *Service) checkReuse(ctx context.Context, st passwordState, pw seal.Secret) error {
	if !st.rules.custom {
		return nil
	}
	for _, hash := range st.history[:min(st.rules.policy.Reuse, len(st.history))] {
		same, _, err := s.hasher.VerifyPassword(ctx, hash, pw)
		if err != nil {
			return err
		}
		if same {
			return fail("PasswordPolicyViolation",
				"Policy constraint violation with password reuse prevention during password change.")
		}
	}
	return nil
}

// errMoved says that the state that decided about a password has changed.
var errMoved = errors.New("password state moved")

// setPassword sets the password of a user. find names the user. allow, which
// may hash, says whether the password may be set. write stores the hash.
func (s *Service) setPassword(ctx context.Context, pw seal.Secret,
	find func(*store.Tx) (store.User, error),
	allow func(passwordState) error,
	write func(tx *store.Tx, st passwordState, hash string) error,
) error {
	read := func(tx *store.Tx) (passwordState, error) {
		u, err := find(tx)
		if err != nil {
			return passwordState{}, err
		}
		return readPasswordState(tx, u)
	}
	for {
		err := s.trySetPassword(ctx, pw, read, allow, write)
		// Another call made progress by changing the state, so this loop ends.
		if !errors.Is(err, errMoved) {
			return err
		}
	}
}

func (s *Service) trySetPassword(ctx context.Context, pw seal.Secret,
	read func(*store.Tx) (passwordState, error),
	allow func(passwordState) error,
	write func(*store.Tx, passwordState, string) error,
) error {
	var seen passwordState
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		seen, err = read(tx)
		return err
	})
	if err != nil {
		return err
	}
	if err := allow(seen); err != nil {
		return err
	}
	if err := seen.rules.check(pw); err != nil {
		return err
	}
	if err := s.checkReuse(ctx, seen, pw); err != nil {
		return err
	}
	hash, err := s.hasher.HashPassword(ctx, pw)
	if err != nil {
		return err
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		now, err := read(tx)
		if err != nil {
			return err
		}
		if !now.equal(seen) {
			return errMoved
		}
		if err := write(tx, now, hash); err != nil {
			return err
		}
		if err := tx.ForgetPasswordGuesses(now.user.Account, now.user.NameKey); err != nil {
			return err
		}
		if err := tx.ForgetTries(s.UserPlace(now.user.Account, now.user.NameKey)); err != nil {
			return err
		}
		return tx.AddPasswordHistory(now.user.Account, now.user.NameKey, hash, keptPasswords)
	})
}

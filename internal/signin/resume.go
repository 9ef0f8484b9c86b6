package signin

import (
	"context"
	"errors"

	"rollcall/internal/identity"
	"rollcall/internal/seal"
)

// Resume returns the step and the person of a token, so that a page can be
// shown again. It changes nothing.
func (s *Service) Resume(ctx context.Context, token seal.Secret) (Step, *identity.Person, error) {
	for _, kind := range [...]Kind{Device, NewPassword} {
		t, p, _, err := s.open(ctx, token, kind)
		if errors.Is(err, ErrStepGone) {
			continue
		}
		if err != nil {
			return Step{}, nil, err
		}
		if !s.db.Now().Before(t.Expires) {
			break
		}
		step := Step{Kind: kind, Token: token, Expires: t.Expires}
		switch kind {
		case Device:
			step.Devices = p.Devices
		case NewPassword:
			at, _ := p.PasswordExpires()
			step.Expired = !at.IsZero() && !s.db.Now().Before(at)
		}
		return step, p, nil
	}
	return Step{}, nil, ErrStepGone
}

package sts

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/identity"
	"rollcall/internal/principal"
)

// DecodeAuthorizationMessage returns the reason why a call of the account was
// denied. On AWS, denials of IAM and STS contain no such messages. Here they
// are in the header X-Rollcall-Authorization-Message of a denial.
func (s *Service) DecodeAuthorizationMessage(
	ctx context.Context, in *sts.DecodeAuthorizationMessageInput,
) (*sts.DecodeAuthorizationMessageOutput, error) {
	text, err := s.iam.OpenMessage(ctx, principal.Of(ctx), *in.EncodedMessage)
	if errors.Is(err, identity.ErrNoMessage) {
		return nil, fail("InvalidAuthorizationMessageException", "Message is not valid") // the text is a guess
	}
	if err != nil {
		return nil, err
	}
	return &sts.DecodeAuthorizationMessageOutput{DecodedMessage: &text}, nil
}

// Package sts is the Security Token Service: it tells callers who they are and
// whose a key is, and creates sessions of a role, of a user, of a federated
// user, and of a member account's root user.
//
// It promises that a caller gets a session of a role only if the role's trust
// policy and the caller's own policies allow it, or if it proves by a
// provider's token that the role trusts it; that one-time codes count once; and
// that no session may do more than its origin. It stores no sessions: identity
// seals everything that is known about one into its token.
package sts

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/awsmodel"
	"rollcall/internal/identity"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// Config is a Service's settings.
type Config struct {
	// WebIdentityKeys maps the URL of an issuer to the place of its keys: a
	// file or a URL. Tokens of other issuers are refused, because the accounts
	// of a store must not be able to make it fetch any URL.
	WebIdentityKeys map[string]string
	Log             *slog.Logger // nil discards
}

// Service is STS on a store.
type Service struct {
	db      *store.DB
	iam     *identity.Service
	log     *slog.Logger
	issuers map[string]*keySet // by the issuer's URL without https://
	unset   atomic.Int64       // when the absence of keys was last logged
}

// fail returns an error for the client.
var fail = awsmodel.Fail

// str reads an optional string of an input.
func str(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// ptr returns a member of an output.
func ptr[T any](v T) *T { return &v }

// optional returns a member of an output that is left out if it is empty.
func optional(v string) *string {
	if v == "" {
		return nil
	}
	return &v
}

// some returns the values of a condition key: none for "".
func some(v string) []string {
	if v == "" {
		return nil
	}
	return []string{v}
}

// New returns the service on a store; iam makes its sessions.
func New(db *store.DB, iam *identity.Service, cfg Config) *Service {
	s := &Service{db: db, iam: iam, log: cfg.Log, issuers: map[string]*keySet{}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	for issuer, source := range cfg.WebIdentityKeys {
		s.issuers[strings.TrimPrefix(issuer, "https://")] = newKeySet(source, db.Now, s.log)
	}
	return s
}

// GetCallerIdentity tells the caller who it is. No permission is needed.
func (s *Service) GetCallerIdentity(
	ctx context.Context, _ *sts.GetCallerIdentityInput,
) (*sts.GetCallerIdentityOutput, error) {
	c := principal.Of(ctx)
	account, id, arn := c.Account(), c.UserID(), c.ARN()
	return &sts.GetCallerIdentityOutput{Account: &account, UserId: &id, Arn: &arn}, nil
}

// GetAccessKeyInfo tells which account a key belongs to: the number in the id
// itself or, for ids without one, the account that holds the key.
func (s *Service) GetAccessKeyInfo(
	ctx context.Context, in *sts.GetAccessKeyInfoInput,
) (*sts.GetAccessKeyInfoOutput, error) {
	if account, ok := seal.AccountOfKeyID(*in.AccessKeyId); ok {
		return &sts.GetAccessKeyInfoOutput{Account: &account}, nil
	}
	var key store.AccessKey
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		key, err = tx.AccessKey(*in.AccessKeyId)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		// AWS refuses ids that it cannot have created; the text is not
		// recorded.
		return nil, fail("ValidationError", "Access key %s is not valid.", *in.AccessKeyId)
	}
	if err != nil {
		return nil, err
	}
	return &sts.GetAccessKeyInfoOutput{Account: &key.Account}, nil
}

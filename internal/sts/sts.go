// Package sts implements the Security Token Service. It returns the identity of
// callers and the accounts of keys, and creates sessions of roles, of users, of
// federated users, and of member accounts' root users.
//
// A caller gets a session of a role only if the role's trust policy and the
// caller's own policies allow it, or if the caller has a token of a provider
// that the role trusts. One-time codes work once. No session has more
// permissions than its origin. The package stores no sessions: package identity
// seals everything about a session into its token.
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

// Config holds the settings of a Service.
type Config struct {
	// WebIdentityKeys maps the URL of an issuer to the location of its keys: a
	// file or a URL. Tokens of other issuers are refused, because accounts must
	// not be able to make the service fetch any URL.
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

// ptr returns a pointer to a value, for a member of an output.
func ptr[T any](v T) *T { return &v }

// optional returns a member of an output that is omitted if it is empty.
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

// New returns the service on a store. iam creates its sessions.
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

// GetCallerIdentity returns the identity of the caller. No permission is
// needed.
func (s *Service) GetCallerIdentity(
	ctx context.Context, _ *sts.GetCallerIdentityInput,
) (*sts.GetCallerIdentityOutput, error) {
	c := principal.Of(ctx)
	account, id, arn := c.Account(), c.UserID(), c.ARN()
	return &sts.GetCallerIdentityOutput{Account: &account, UserId: &id, Arn: &arn}, nil
}

// GetAccessKeyInfo returns the account of a key: the number in the id itself
// or, for ids without one, the account that has the key.
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

package identity

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/awsmodel"
	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// inputPolicies parses the documents of a request. name is the parameter's,
// and what answers call them: PolicyInputList.1. The text of an error is a
// guess but for the reason.
func (s *Service) inputPolicies(name string, kind policy.Kind, documents []string) ([]sourcePolicy, error) {
	var all []sourcePolicy
	for i, text := range documents {
		id := name
		if kind != policy.Resource { // of which there is one
			id += "." + strconv.Itoa(i+1)
		}
		d, err := policy.Parse(text, kind)
		if err != nil {
			var malformed *awsmodel.Error
			if errors.As(err, &malformed) {
				err = fail("InvalidInput", "Invalid policy %s: %s", id, malformed.Message)
			}
			return nil, err
		}
		all = append(all, sourcePolicy{Policy: policy.Policy{Document: d, Name: id}, text: text})
	}
	return all, nil
}

// contextKeys are the condition keys of documents, each once and sorted.
func contextKeys(policies []sourcePolicy) []string {
	keys := map[string]string{}
	for _, p := range policies {
		for _, name := range p.Document.ContextKeys() {
			if lower := strings.ToLower(name); keys[lower] == "" {
				keys[lower] = name
			}
		}
	}
	names := []string{}
	for _, name := range keys {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// GetContextKeysForCustomPolicy lists the condition keys that documents ask
// for.
func (s *Service) GetContextKeysForCustomPolicy(_ context.Context, in *iam.GetContextKeysForCustomPolicyInput) (*iam.GetContextKeysForCustomPolicyOutput, error) {
	policies, err := s.inputPolicies("PolicyInputList", policy.Inline, in.PolicyInputList)
	if err != nil {
		return nil, err
	}
	return &iam.GetContextKeysForCustomPolicyOutput{ContextKeyNames: contextKeys(policies)}, nil
}

// GetContextKeysForPrincipalPolicy lists the condition keys that the policies
// of an entity ask for, of a user those of its groups too, and documents
// beside them.
func (s *Service) GetContextKeysForPrincipalPolicy(ctx context.Context, in *iam.GetContextKeysForPrincipalPolicyInput) (*iam.GetContextKeysForPrincipalPolicyOutput, error) {
	c := principal.Of(ctx)
	policies, err := s.inputPolicies("PolicyInputList", policy.Inline, in.PolicyInputList)
	if err != nil {
		return nil, err
	}
	var src source
	err = s.db.View(ctx, func(tx *store.Tx) error {
		src, err = s.readSource(tx, c, *in.PolicySourceArn)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &iam.GetContextKeysForPrincipalPolicyOutput{ContextKeyNames: contextKeys(append(src.identity, policies...))}, nil
}

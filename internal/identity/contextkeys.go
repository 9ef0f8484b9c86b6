package identity

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/awsmodel"
	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// inputPolicies parses the documents of a request. name is the name of the
// parameter, and answers use it to name the documents: PolicyInputList.1. The
// text of an error is a guess except for the reason.
func (s *Service) inputPolicies(name string, kind policy.Kind, documents []string) ([]sourcePolicy, error) {
	var all []sourcePolicy
	for i, text := range documents {
		id := name
		if kind != policy.Resource { // there is only one resource policy
			id += "." + strconv.Itoa(i+1)
		}
		d, err := policy.Stored(text, kind)
		if err != nil {
			var malformed *awsmodel.Error
			if errors.As(err, &malformed) {
				err = errInputPolicy(name, i, id, malformed)
			}
			return nil, err
		}
		all = append(all, sourcePolicy{Policy: policy.Policy{Document: d, Name: id}, text: text})
	}
	return all, nil
}

// errInputPolicy refuses a document. The text for PolicyInputList is recorded.
func errInputPolicy(list string, i int, id string, malformed *awsmodel.Error) error {
	if list == "PolicyInputList" {
		return errPolicyInput(i)
	}
	return fail("InvalidInput", "Invalid policy %s: %s", id, malformed.Message)
}

func errPolicyInput(i int) error {
	return fail("InvalidInput", "Policy input list item %d has invalid content", i+1)
}

// inputKeys returns the condition keys of the documents of a request. A key
// occurs once for each document that uses it (recorded).
func inputKeys(documents []string) ([]string, error) {
	names := []string{}
	for i, text := range documents {
		keys, err := policy.KeysOf(text)
		if err != nil {
			return nil, errPolicyInput(i)
		}
		names = append(names, keys...)
	}
	return names, nil
}

// GetContextKeysForCustomPolicy lists the condition keys that documents use.
func (s *Service) GetContextKeysForCustomPolicy(
	_ context.Context, in *iam.GetContextKeysForCustomPolicyInput,
) (*iam.GetContextKeysForCustomPolicyOutput, error) {
	names, err := inputKeys(in.PolicyInputList)
	if err != nil {
		return nil, err
	}
	return &iam.GetContextKeysForCustomPolicyOutput{ContextKeyNames: names}, nil
}

// GetContextKeysForPrincipalPolicy lists the condition keys that the policies
// of an entity and additional documents use. The policies of a user include
// those of its groups and its boundary (recorded).
func (s *Service) GetContextKeysForPrincipalPolicy(
	ctx context.Context, in *iam.GetContextKeysForPrincipalPolicyInput,
) (*iam.GetContextKeysForPrincipalPolicyOutput, error) {
	c := principal.Of(ctx)
	given, err := inputKeys(in.PolicyInputList)
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
	names, seen := []string{}, map[string]bool{}
	for _, p := range slices.Concat(src.identity, src.boundary) {
		if seen[p.ARN] { // a managed policy that applies to a user in two ways counts once: recorded
			continue
		}
		seen[p.ARN] = p.ARN != ""
		keys, err := policy.KeysOf(p.text)
		if err != nil {
			return nil, err
		}
		names = append(names, keys...)
	}
	return &iam.GetContextKeysForPrincipalPolicyOutput{ContextKeyNames: append(names, given...)}, nil
}

package identity

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
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
				err = errInputPolicy(name, i, id, malformed)
			}
			return nil, err
		}
		all = append(all, sourcePolicy{Policy: policy.Policy{Document: d, Name: id}, text: text})
	}
	return all, nil
}

// errInputPolicy refuses a document. That of PolicyInputList is recorded.
func errInputPolicy(list string, i int, id string, malformed *awsmodel.Error) error {
	if list == "PolicyInputList" {
		return fail("InvalidInput", "Policy input list item %d has invalid content", i+1)
	}
	return fail("InvalidInput", "Invalid policy %s: %s", id, malformed.Message)
}

// contextKeys are the condition keys of documents, those of each in the order
// in which they appear in it, as they are written there. Recorded: each is told
// once of every document.
func contextKeys(policies []sourcePolicy) []string {
	names := []string{}
	for _, p := range policies {
		asked, have := map[string]bool{}, map[string]bool{}
		for _, name := range p.Document.ContextKeys() {
			asked[policy.Fold(name)] = true
		}
		for name := range possibleKeys(p.text) {
			if asked[policy.Fold(name)] && !have[name] {
				have[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}

// possibleKeys yields what can be a condition key in a document: the names of
// members, and of variables in texts.
func possibleKeys(document string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for rest := document; ; {
			i := strings.IndexByte(rest, '"')
			if i < 0 {
				return
			}
			rest = rest[i:]
			size := stringSize(rest)
			var text string
			if json.Unmarshal([]byte(rest[:size]), &text) != nil {
				return // a policy's text is JSON
			}
			rest = rest[size:]
			if strings.HasPrefix(strings.TrimLeft(rest, " \t\r\n"), ":") && !yield(text) {
				return
			}
			for _, part := range strings.Split(text, "${")[1:] {
				if name := part[:max(0, strings.IndexAny(part, ",}"))]; !yield(strings.TrimSpace(name)) {
					return
				}
			}
		}
	}
}

// stringSize is the length of the JSON string that a text begins with, its
// quotes with it.
func stringSize(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
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
// of an entity ask for, of a user those of its groups too, its boundary
// (recorded) and documents beside them.
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
	names := contextKeys(slices.Concat(src.identity, src.boundary, policies))
	return &iam.GetContextKeysForPrincipalPolicyOutput{ContextKeyNames: names}, nil
}

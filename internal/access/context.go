package access

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// Keys returns the values of condition keys by their lower-case names, or nil
// for a key that does not exist.
type Keys func(key string) []string

// Keys returns the values of the global condition keys and of those of STS for
// the caller and its call. It looks up nothing in advance.
//
// IAM, AWS global condition context keys; AWS STS condition keys.
func (s *Subject) Keys(now time.Time) Keys {
	return func(name string) []string { return s.global(name, now) }
}

// Context returns the values for conditions. The first source that has a key
// decides; sources may be nil.
func Context(places ...Keys) policy.Context {
	return func(name string) policy.Values {
		for _, keys := range places {
			if keys == nil {
				continue
			}
			if v := keys(name); v != nil {
				return policy.Values{Texts: v, List: isList(name)}
			}
		}
		return policy.Values{}
	}
}

// isList says which keys of calls are lists, even with one value. IAM, AWS
// global condition context keys; IAM and AWS STS condition keys: authentication
// methods are those of OIDC tokens.
func isList(name string) bool {
	switch name {
	case "aws:tagkeys", "sts:transitivetagkeys", "sts:identitytokenaudience", "iam:accountpropertynamespaces":
		return true
	}
	return strings.HasSuffix(name, ":amr")
}

// global returns the values of a key that exists for every action. It does not
// contain keys that only some requests or resources have.
func (s *Subject) global(name string, now time.Time) []string {
	if tag, ok := strings.CutPrefix(name, "aws:principaltag/"); ok {
		return tagValue(s.Tags, tag)
	}
	c := s.Caller
	switch name {
	case "aws:username":
		return some(c.UserName())
	case "aws:userid":
		return some(c.UserID())
	case "aws:principalarn":
		if s.Principal.Role != "" {
			return some(s.Principal.Role)
		}
		return some(c.ARN())
	case "aws:principalaccount":
		return some(c.Account())
	case "aws:principaltype":
		return some(principalTypes[c.Kind()])
	case "aws:principalisawsservice", "aws:viaawsservice":
		return some("false")
	case "aws:sourceip":
		return some(s.Call.SourceIP)
	case "aws:useragent":
		return some(s.Call.UserAgent)
	case "aws:securetransport":
		return some(strconv.FormatBool(s.Call.Secure))
	case "aws:currenttime":
		return some(now.UTC().Format(time.RFC3339))
	case "aws:epochtime":
		return some(strconv.FormatInt(now.Unix(), 10))
	case "aws:requestedregion":
		return some(c.Region())
	}
	return s.sessionKey(name, now)
}

var principalTypes = [...]string{
	principal.User: "User", principal.Root: "Account",
	principal.AssumedRole: "AssumedRole", principal.FederatedUser: "FederatedUser",
}

// sessionKey returns the values of a key that only temporary credentials have.
// Requests with long-term keys have no aws:MultiFactorAuthPresent at all, so
// policies use BoolIfExists with it.
func (s *Subject) sessionKey(name string, now time.Time) []string {
	session := s.Caller.Session()
	if session == nil {
		return nil
	}
	switch name {
	case "aws:tokenissuetime":
		return some(session.Issued.UTC().Format(time.RFC3339))
	case "aws:multifactorauthpresent":
		return some(strconv.FormatBool(!session.MFA.IsZero()))
	case "aws:multifactorauthage":
		if session.MFA.IsZero() {
			return nil
		}
		// Another node's clock may be a little ahead.
		return some(strconv.FormatInt(int64(max(0, now.Sub(session.MFA))/time.Second), 10))
	case "aws:sourceidentity":
		return some(session.SourceIdentity)
	case "aws:federatedprovider":
		return some(session.Provider)
	}
	return session.Keys[name]
}

// RequestTags returns the tags that a request sets, or the keys that it
// removes.
func RequestTags(tags []store.Tag, removed []string) Keys {
	return func(name string) []string {
		if tag, ok := strings.CutPrefix(name, "aws:requesttag/"); ok {
			return tagValue(tags, tag)
		}
		if name != "aws:tagkeys" {
			return nil
		}
		keys := append([]string(nil), removed...)
		for _, t := range tags {
			keys = append(keys, t.Key)
		}
		return keys
	}
}

// tagValue finds a tag by its key in lower case, because the name of a
// condition key ignores case. If a request repeats a key, the last value counts
// (recorded).
func tagValue(tags []store.Tag, lower string) []string {
	for _, t := range slices.Backward(tags) {
		if policy.Fold(t.Key) == lower {
			return []string{t.Value}
		}
	}
	return nil
}

// ResourceTag returns the tag in the name of a condition key, in lower case. ok
// is false if the key is not for a tag; iam:ResourceTag/… and aws:ResourceTag/…
// are.
func ResourceTag(name string) (tag string, ok bool) {
	if tag, ok = strings.CutPrefix(name, "iam:resourcetag/"); ok {
		return tag, true
	}
	return strings.CutPrefix(name, "aws:resourcetag/")
}

// TagValue returns the value of a resource's tag for the name of a condition
// key; see ResourceTag.
func TagValue(tags []store.Tag, name string) []string {
	if tag, ok := ResourceTag(name); ok {
		return tagValue(tags, tag)
	}
	return nil
}

func some(v string) []string {
	if v == "" {
		return nil
	}
	return []string{v}
}

package sts

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/beevik/etree"

	"rollcall/internal/samlmetadata"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// samlAttributes begins the names of the attributes that AWS reads. IAM,
// configuring SAML assertions for the authentication response.
const samlAttributes = "https://aws.amazon.com/SAML/Attributes/"

// samlLifetime is the time after its issue during which an assertion can be
// used.
const samlLifetime = 5 * time.Minute

// assertion holds the content of an assertion.
type assertion struct {
	issuer, subject, subjectType, recipient string
	audiences                               []string
	issued, from, until                     time.Time // from and until are zero if the assertion has no limit
	sessionUntil                            time.Time
	attributes                              map[string][]string
}

// AssumeRoleWithSAML returns the credentials of a session of a role to a caller
// with an assertion of a SAML provider that the role trusts. The request needs
// no signature.
func (s *Service) AssumeRoleWithSAML(
	ctx context.Context, in *sts.AssumeRoleWithSAMLInput,
) (*sts.AssumeRoleWithSAMLOutput, error) {
	provider, account, name, ok := samlProviderName(*in.PrincipalArn)
	role := strings.SplitN(*in.RoleArn, ":", 6)
	if !ok || len(role) != 6 || role[4] != account || !strings.HasPrefix(role[5], "role/") {
		return nil, fail("ValidationError", "Request ARN is invalid")
	}
	a, err := s.assertion(ctx, account, name, *in.SAMLAssertion)
	if err != nil {
		return nil, err
	}
	qualifier := nameQualifier(a.issuer, account, name)
	n := newSession{duration: in.DurationSeconds, policy: in.Policy, policyARNs: in.PolicyArns, provider: provider,
		minSize: in.MinimumSessionTokenSize}
	if err := n.setAssertion(a, s.db.Now()); err != nil {
		return nil, err
	}
	n.keys = a.keys(account+"/"+name, qualifier)
	target, err := s.role(ctx, *in.RoleArn)
	if err != nil {
		return nil, err
	}
	by := s.federated(ctx, provider, n.keys)
	if !a.hasRole(*in.RoleArn, provider) {
		return nil, by.denial("sts:AssumeRoleWithSAML", *in.RoleArn)
	}
	if err := s.mayAssume(ctx, by, target, "sts:AssumeRoleWithSAML", &n, *in.RoleArn); err != nil {
		return nil, err
	}
	made, err := s.roleSession(ctx, target, &n)
	if err != nil {
		return nil, err
	}
	return &sts.AssumeRoleWithSAMLOutput{
		AssumedRoleUser: assumedRoleUser(target, n.name), Credentials: made.credentials, PackedPolicySize: made.packed,
		SessionTokenSize: made.size, SessionTokenUtilization: made.used, SourceIdentity: optional(n.sourceIdentity),
		Audience: &a.recipient, Issuer: &a.issuer, NameQualifier: &qualifier, Subject: &a.subject,
		SubjectType: &a.subjectType,
	}, nil
}

// samlProviderName splits the ARN of a SAML provider.
func samlProviderName(arn string) (provider, account, name string, ok bool) {
	part := strings.SplitN(arn, ":", 6)
	if len(part) != 6 || part[0] != "arn" || part[2] != "iam" {
		return "", "", "", false
	}
	name, ok = strings.CutPrefix(part[5], "saml-provider/")
	return arn, part[4], name, ok
}

// nameQualifier identifies the provider in an answer. STS AssumeRoleWithSAML.
func nameQualifier(issuer, account, name string) string {
	sum := sha1.Sum([]byte(issuer + account + "/" + name))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// assertion verifies a response by the metadata of a provider. The texts about
// the provider, the signature and the issuer are reported by users of AWS.
func (s *Service) assertion(ctx context.Context, account, name, response string) (*assertion, error) {
	var p store.SAMLProvider
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		p, err = tx.SAMLProvider(account, name)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, fail(invalidToken, "Specified provider doesn't exist")
	}
	if err != nil {
		return nil, err
	}
	if p.Encryption == "Required" {
		return nil, fail(invalidToken,
			"The provider requires encrypted assertions, which are not supported by Rollcall.")
	}
	metadata, err := samlmetadata.Parse(p.Metadata)
	if err != nil {
		return nil, err
	}
	now := s.db.Now()
	if !metadata.ValidUntil.IsZero() && !now.Before(metadata.ValidUntil) {
		return nil, fail(invalidToken, "The metadata of the provider has expired.")
	}
	if len(metadata.Signing) == 0 { // no signature can be verified
		return nil, fail(invalidToken, "Response signature invalid")
	}
	element, err := verifiedAssertion(response, metadata.Signing, now)
	if errors.Is(err, errSAMLSignature) {
		return nil, fail(invalidToken, "Response signature invalid")
	}
	if err != nil {
		return nil, fail(invalidToken, "The SAML response cannot be used: %v.", err)
	}
	a, err := readAssertion(element)
	if err != nil {
		return nil, fail(invalidToken, "The SAML response cannot be used: %v.", err)
	}
	if a.issuer != metadata.EntityID {
		return nil, fail(invalidToken, "Issuer not present in specified provider")
	}
	return a, a.check(now)
}

// check compares an assertion's dates and audience with the request.
func (a *assertion) check(now time.Time) error {
	switch {
	case now.After(a.issued.Add(samlLifetime)), !a.until.IsZero() && !now.Before(a.until):
		return fail("ExpiredTokenException", "Token must be redeemed within 5 minutes of issuance")
	case a.issued.After(now.Add(clockSkew)), a.from.After(now.Add(clockSkew)):
		return fail(invalidToken, "The SAML response is not valid yet.")
	case !slices.ContainsFunc(a.audiences, forAWS):
		return fail(invalidToken, "The SAML response is not meant for AWS.")
	}
	return nil
}

// forAWS reports whether an audience is AWS's, in any partition.
func forAWS(audience string) bool {
	return audience == "urn:amazon:webservices" || strings.HasPrefix(audience, "urn:amazon:webservices:") ||
		audience == "https://signin.aws.amazon.com/saml" || audience == "https://signin.amazonaws.cn/saml" ||
		audience == "https://signin.amazonaws-us-gov.com/saml"
}

// readAssertion reads a verified assertion.
func readAssertion(e *etree.Element) (*assertion, error) {
	a := &assertion{issuer: textOf(child(e, samlAssertion, "Issuer")), attributes: map[string][]string{}}
	subject := child(e, samlAssertion, "Subject")
	id := child(subject, samlAssertion, "NameID")
	a.subject, a.subjectType = textOf(id), strings.TrimPrefix(attr(id, "Format"),
		"urn:oasis:names:tc:SAML:2.0:nameid-format:")
	var bearer *etree.Element
	conditions := child(e, samlAssertion, "Conditions")
	for _, part := range elements(subject, conditions, e) {
		switch {
		case isElement(part, samlAssertion, "SubjectConfirmation") && attr(part, "Method") == samlBearer &&
			bearer == nil:
			bearer = child(part, samlAssertion, "SubjectConfirmationData")
			a.recipient = attr(bearer, "Recipient")
		case isElement(part, samlAssertion, "AudienceRestriction"):
			for _, audience := range part.ChildElements() {
				a.audiences = append(a.audiences, textOf(audience))
			}
		case isElement(part, samlAssertion, "AttributeStatement"):
			a.addAttributes(part)
		}
	}
	if a.issuer == "" || a.subject == "" || bearer == nil || a.recipient == "" {
		return nil, errors.New("it does not say who issued it, for whom and to whom")
	}
	var errs []error
	date := func(e *etree.Element, name string) time.Time {
		text := attr(e, name)
		if text == "" {
			return time.Time{}
		}
		at, err := time.Parse(time.RFC3339, text)
		errs = append(errs, err)
		return at
	}
	a.issued, a.from, a.until = date(e, "IssueInstant"), date(conditions, "NotBefore"), date(conditions, "NotOnOrAfter")
	if confirmed := date(bearer, "NotOnOrAfter"); a.until.IsZero() || !confirmed.IsZero() && confirmed.Before(a.until) {
		a.until = confirmed
	}
	a.sessionUntil = date(child(e, samlAssertion, "AuthnStatement"), "SessionNotOnOrAfter")
	return a, errors.Join(errs...)
}

// elements returns the child elements of several parents, which may be nil.
func elements(parents ...*etree.Element) (all []*etree.Element) {
	for _, p := range parents {
		if p != nil {
			all = append(all, p.ChildElements()...)
		}
	}
	return all
}

func (a *assertion) addAttributes(statement *etree.Element) {
	for _, attribute := range statement.ChildElements() {
		name := attr(attribute, "Name")
		for _, v := range attribute.ChildElements() {
			if isElement(v, samlAssertion, "AttributeValue") {
				a.attributes[name] = append(a.attributes[name], textOf(v))
			}
		}
	}
}

// hasRole reports whether the assertion has the pair of a role and its
// provider.
func (a *assertion) hasRole(role, provider string) bool {
	return slices.ContainsFunc(a.attributes[samlAttributes+"Role"], func(pair string) bool {
		first, second, _ := strings.Cut(pair, ",")
		first, second = strings.TrimSpace(first), strings.TrimSpace(second)
		return first == role && second == provider || first == provider && second == role
	})
}

// setAssertion reads the values of an assertion for the session.
func (n *newSession) setAssertion(a *assertion, now time.Time) error {
	names := a.attributes[samlAttributes+"RoleSessionName"]
	if len(names) != 1 {
		return fail(invalidToken, "RoleSessionName is required in AuthnResponse")
	}
	if n.name = names[0]; len(n.name) < 2 || len(n.name) > 64 || strings.Trim(n.name, sessionNameCharacters) != "" {
		return fail(invalidToken, "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}")
	}
	if identities := a.attributes[samlAttributes+"SourceIdentity"]; len(identities) > 0 {
		n.sourceIdentity = identities[0]
		if len(n.sourceIdentity) < 2 || len(n.sourceIdentity) > 64 ||
			strings.Trim(n.sourceIdentity, sessionNameCharacters) != "" {
			return fail(invalidToken, "SourceIdentity in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}")
		}
	}
	// The session lasts as long as requested, or until the provider's own
	// session ends. STS AssumeRoleWithSAML.
	if !a.sessionUntil.IsZero() {
		left := int32(a.sessionUntil.Sub(now) / time.Second)
		if left <= 0 {
			return fail("ExpiredTokenException", "Token must be redeemed within 5 minutes of issuance")
		}
		if n.duration == nil && left < defaultDuration || n.duration != nil && left < *n.duration {
			n.duration = &left
		}
	}
	var tags []tag
	for name, values := range a.attributes {
		if key, ok := strings.CutPrefix(name, samlAttributes+"PrincipalTag:"); ok {
			if len(values) != 1 || key == "" || len([]rune(key)) > 128 || len([]rune(values[0])) > 256 {
				return fail(invalidToken, "The session tag %s must have one value, of at most 256 characters.", key)
			}
			tags = append(tags, tag{key, values[0]})
		}
	}
	slices.SortFunc(tags, func(a, b tag) int { return strings.Compare(a.key, b.key) })
	return n.setTags(tags, a.attributes[samlAttributes+"TransitiveTagKeys"])
}

const sessionNameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-"

// keys returns the condition keys of the assertion, which its session has too.
// IAM, available keys for SAML-based federation.
func (a *assertion) keys(doc, qualifier string) map[string][]string {
	return map[string][]string{
		"saml:aud": {a.recipient}, "saml:iss": {a.issuer}, "saml:sub": {a.subject}, "saml:sub_type": {a.subjectType},
		"saml:namequalifier": {qualifier}, "saml:doc": {doc},
	}
}

// showedAssertion returns the caller of AssumeRoleWithSAML for the trail.
func showedAssertion(in *sts.AssumeRoleWithSAMLInput, out *sts.AssumeRoleWithSAMLOutput) trail.Identity {
	id := trail.Identity{Type: trail.SAMLUser}
	provider := str(in.PrincipalArn)
	_, id.AccountID, _, _ = samlProviderName(provider)
	if out != nil {
		id.PrincipalID, id.UserName, id.IdentityProvider = *out.NameQualifier+":"+*out.Subject, *out.Subject, provider
	}
	return id
}

package sts

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"rollcall/internal/access"
	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// maxTags is the maximum number of tags of a session or a role. STS quotas.
const maxTags = 50

// maxPolicyARNs is the maximum number of managed policies that limit a session.
// STS AssumeRole.
const maxPolicyARNs = 10

// packedSpace is the space, in bytes, for packed session policies and tags.
// maxToken is the maximum size of a token. AWS publishes no figure for the
// first. The second limits MinimumSessionTokenSize.
const (
	packedSpace = 2048
	maxToken    = 4096
)

// newSession is a session in the form of a request.
type newSession struct {
	from     *principal.Session // the caller's session, nil if it has none
	name     string
	duration *int32
	mfa      time.Time // when the caller proved a device in this request
	minSize  *int32    // minimum size of the token

	externalID string
	asked      []store.Tag // the tags in the request itself
	tags       []store.Tag // these and the tags inherited from the caller's session
	transitive []string    // folded keys of the tags that the next session inherits

	askedTransitive []string // as the request spells them

	sourceIdentity string
	policy         *string
	policyARNs     []types.PolicyDescriptorType

	provider string
	keys     map[string][]string
}

// tag is a session tag of a request.
type tag struct{ key, value string }

func tagsOf(in []types.Tag) []tag {
	tags := make([]tag, len(in))
	for i, t := range in {
		tags[i] = tag{*t.Key, *t.Value}
	}
	return tags
}

// asks returns the condition keys of a request for a session of a role. STS,
// condition keys.
func (n *newSession) asks(key string) []string {
	switch key {
	case "sts:rolesessionname":
		return some(n.name)
	case "sts:sourceidentity":
		return some(n.sourceIdentity)
	case "sts:transitivetagkeys":
		return n.askedTransitive
	case "sts:externalid":
		return some(n.externalID)
	}
	return access.RequestTags(n.asked, nil)(key)
}

// madeSession holds the values of a session in answers.
type madeSession struct {
	credentials *types.Credentials
	packed      *int32 // percent of packedSpace
	size, used  *int32 // bytes of the token, and percent of maxToken
}

var errDuplicateTags = fail("InvalidParameterValue",
	"Duplicate tag keys found. Please note that Tag keys are case insensitive.")

// setTags reads the tags of a request and adds the inherited ones. Keys are
// compared without regard to case. The last text is reported by users of AWS.
// The others are guesses.
func (n *newSession) setTags(tags []tag, transitive []string) error {
	seen := map[string]bool{}
	for _, t := range tags {
		fold := strings.ToLower(t.key)
		if strings.HasPrefix(fold, "aws:") {
			return fail("InvalidParameterValue", "Tag keys beginning with aws: are reserved for system use.")
		}
		if seen[fold] {
			return errDuplicateTags
		}
		seen[fold] = true
		n.asked = append(n.asked, store.Tag{Fold: fold, Key: t.key, Value: t.value})
	}
	n.askedTransitive = transitive
	n.tags = n.asked[:len(n.asked):len(n.asked)]
	for _, key := range transitive {
		if !seen[strings.ToLower(key)] {
			return fail("InvalidParameterValue",
				"The specified transitive tag key must be included in the requested tags.")
		}
		n.transitive = append(n.transitive, strings.ToLower(key))
	}
	if n.from == nil {
		return nil
	}
	for _, fold := range n.from.Transitive {
		if seen[fold] {
			return fail("InvalidParameterValue",
				"One of the specified transitive tag keys can't be set because it conflicts with a transitive tag "+
					"key from the calling session.")
		}
		for _, t := range n.from.Tags {
			if t.Fold == fold {
				n.tags, n.transitive = append(n.tags, t), append(n.transitive, fold)
			}
		}
	}
	if len(n.tags) > maxTags {
		return fail("InvalidParameterValue", "A session can have at most %d tags.", maxTags)
	}
	return nil
}

// setSourceIdentity sets the source identity of a session. A session keeps the
// source identity that it began with: IAM, monitor and control actions taken
// with assumed roles.
func (n *newSession) setSourceIdentity(asked string) error {
	n.sourceIdentity = asked
	if n.from == nil || n.from.SourceIdentity == "" {
		return nil
	}
	if asked != "" && asked != n.from.SourceIdentity {
		return fail("AccessDenied", "The source identity of the session cannot be changed.") // a guess
	}
	n.sourceIdentity = n.from.SourceIdentity
	return nil
}

// roleSession creates a session of a role after the caller has been authorized.
// The session does not inherit that the caller proved an MFA device: IAM,
// configuring MFA-protected API access.
func (s *Service) roleSession(ctx context.Context, r *assumable, n *newSession) (madeSession, error) {
	seconds := int32(defaultDuration)
	if n.duration != nil {
		seconds = *n.duration
	}
	switch {
	case int(seconds) > r.MaxSession:
		return madeSession{},
			fail("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	case n.from != nil && n.from.Role != nil && seconds > chainedDuration:
		return madeSession{}, fail("ValidationError",
			"The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	of := store.Owner{Partition: r.partition, Instance: r.instance, User: store.User{Account: r.Account}}
	return s.makeSession(ctx, of, seconds, n, principal.Session{
		Role:    &principal.AssumedRoleOf{NameKey: r.NameKey, Name: r.Name, Path: r.Path, ID: r.ID},
		Chained: n.from != nil && n.from.Role != nil,
		Name:    n.name, SourceIdentity: n.sourceIdentity, Transitive: n.transitive, Provider: n.provider, Keys: n.keys,
	})
}

// In seconds: the default duration of a session of a role, and the maximum for
// a session that another role's session assumes.
const (
	defaultDuration = 3600
	chainedDuration = 3600
)

// makeSession checks the policies that limit a session and creates its
// credentials. session holds everything else.
func (s *Service) makeSession(
	ctx context.Context, of store.Owner, seconds int32, n *newSession, session principal.Session,
) (made madeSession, err error) {
	// The times in a token equal those in its answer, to the second.
	session.Issued = s.db.Now().UTC().Truncate(time.Second)
	session.Expires = session.Issued.Add(time.Duration(seconds) * time.Second)
	session.Tags = n.tags
	if n.policy != nil {
		if err := checkSessionPolicy(*n.policy); err != nil {
			return made, err
		}
		session.Policy = *n.policy
	}
	if session.PolicyARNs, err = s.policyARNs(ctx, of.User.Account, n.policyARNs); err != nil {
		return made, err
	}
	if made.packed, err = packedSize(&session); err != nil {
		return made, err
	}
	minSize := 0
	if n.minSize != nil {
		minSize = int(*n.minSize)
	}
	if minSize > maxToken {
		return made, fail("ValidationError",
			"1 validation error detected: Value '%d' at 'minimumSessionTokenSize' failed to satisfy constraint: "+
				"Member must have value less than or equal to %d", minSize, maxToken)
	}
	c, err := s.iam.NewSession(of, session, minSize)
	if err != nil {
		return made, err
	}
	made.credentials = &types.Credentials{
		AccessKeyId: &c.AccessKeyID, SecretAccessKey: ptr(c.Secret.Reveal()), SessionToken: ptr(c.Token.Reveal()),
		Expiration: &c.Expires,
	}
	made.size = ptr(int32(len(*made.credentials.SessionToken)))
	made.used = ptr(min(100, (*made.size*100+maxToken-1)/maxToken))
	return made, nil
}

// errNoJSON is the error for a session policy that does not begin like a
// policy. Users of AWS report it. They also report the error for an invalid
// text that begins like one: "Syntax errors in policy.".
var errNoJSON = fail("MalformedPolicyDocument", "The policy is not in the valid JSON format.")

func checkSessionPolicy(text string) error {
	if !strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") {
		return errNoJSON
	}
	_, err := policy.Parse(text, policy.Session)
	return err
}

// policyARNs reads the ARNs of managed policies of the session's account or of
// AWS. The texts are guesses.
func (s *Service) policyARNs(ctx context.Context, account string, in []types.PolicyDescriptorType) ([]string, error) {
	if len(in) > maxPolicyARNs {
		return nil, fail("ValidationError",
			"1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have "+
				"length less than or equal to %d", maxPolicyARNs)
	}
	var arns []string
	for _, p := range in {
		if p.Arn == nil {
			return nil, fail("ValidationError", "The policy ARN must not be empty.")
		}
		if _, err := s.iam.Access().Managed(ctx, account, *p.Arn); errors.Is(err, store.ErrNotFound) {
			return nil, fail("MalformedPolicyDocument", "Policy %s does not exist or is not attachable.", *p.Arn)
		} else if err != nil {
			return nil, err
		}
		arns = append(arns, *p.Arn)
	}
	return arns, nil
}

// packedSize returns how much of the space for policies and tags a session
// uses, in percent. It returns nil for a session without any.
func packedSize(session *principal.Session) (*int32, error) {
	if session.Policy == "" && len(session.PolicyARNs)+len(session.Tags) == 0 {
		return nil, nil
	}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	_, _ = w.Write([]byte(session.Policy + "\n" + strings.Join(session.PolicyARNs, "\n")))
	for _, t := range session.Tags {
		_, _ = w.Write([]byte("\n" + t.Key + "=" + t.Value))
	}
	_ = w.Close()
	percent := int32((packed.Len()*100 + packedSpace - 1) / packedSpace)
	if percent > 100 {
		return nil, fail("PackedPolicyTooLarge",
			"Packed policy consumes %d%% of allotted space, please use smaller policy.", percent)
	}
	return &percent, nil
}

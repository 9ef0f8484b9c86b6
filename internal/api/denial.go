package api

import (
	"encoding/json"
	"strings"

	"rollcall/internal/access"
	"rollcall/internal/awsmodel"
	"rollcall/internal/policy"
	"rollcall/internal/principal"
)

// ExplainDenials adds the reason to denials, sealed for callers who may call
// DecodeAuthorizationMessage in the same account. seal returns "" if it cannot. It
// must be called before the first call of an action.
func (a *API) ExplainDenials(seal func(c principal.Caller, text []byte) string) { a.seal = seal }

// maxDenial limits the sealed reason, which goes into a header.
const maxDenial = 4 << 10

// denied returns the refusal of a call on one resource, with its text.
func (a *API) denied(subject *access.Subject, req policy.Request, text string, d policy.Decision) *awsmodel.Error {
	e := awsmodel.Fail("AccessDenied", "%s", text)
	if a.seal == nil {
		return e
	}
	m := explain(subject, req, d)
	for {
		text, err := json.Marshal(m)
		if err != nil {
			return e
		}
		if e.Encoded = a.seal(subject.Caller, text); len(e.Encoded) <= maxDenial {
			return e
		}
		e.Encoded = ""
		switch {
		case len(m.Context.Conditions.Items) > 0:
			m.Context.Conditions.Items = nil
		case len(m.MatchedStatements.Items) > 0:
			m.MatchedStatements.Items = nil
		default:
			return e
		}
	}
}

// denial holds the answer of DecodeAuthorizationMessage. STS documents its
// parts by an example.
type denial struct {
	Allowed           bool                   `json:"allowed"`
	ExplicitDeny      bool                   `json:"explicitDeny"`
	MatchedStatements items[denialStatement] `json:"matchedStatements"`
	Failures          items[string]          `json:"failures"`
	Context           denialContext          `json:"context"`
}

type denialStatement struct {
	StatementID     string       `json:"statementId"`
	Effect          string       `json:"effect"`
	Principals      items[value] `json:"principals"`
	PrincipalGroups items[value] `json:"principalGroups"`
	Actions         items[value] `json:"actions"`
	Resources       items[value] `json:"resources"`
	Conditions      items[keyOf] `json:"conditions"`
}

type denialContext struct {
	Principal struct {
		ID   string `json:"id"`
		Name string `json:"name,omitempty"`
		ARN  string `json:"arn"`
	} `json:"principal"`
	Action     string       `json:"action"`
	Resource   string       `json:"resource"`
	Conditions items[keyOf] `json:"conditions"`
}

// items is a list in the form of STS.
type items[T any] struct {
	Items []T `json:"items"`
}

type value struct {
	Value string `json:"value"`
}

type keyOf struct {
	Key    string       `json:"key"`
	Values items[value] `json:"values"`
}

func valuesOf(list []string) items[value] {
	all := items[value]{Items: []value{}}
	for _, v := range list {
		all.Items = append(all.Items, value{v})
	}
	return all
}

// shownKeys are the condition keys that a denial shows, if the request has them.
var shownKeys = strings.Fields(
	`aws:CurrentTime aws:EpochTime aws:FederatedProvider aws:MultiFactorAuthAge aws:MultiFactorAuthPresent
	aws:PrincipalAccount aws:PrincipalArn aws:PrincipalType aws:RequestedRegion aws:ResourceAccount aws:SecureTransport aws:SourceIdentity
	aws:SourceIp aws:TagKeys aws:TokenIssueTime aws:UserAgent aws:userid aws:username
	iam:AWSServiceName iam:PassedToService iam:PermissionsBoundary iam:PolicyARN iam:ServiceSpecificCredentialAgeDays
	iam:ServiceSpecificCredentialServiceName sts:TaskPolicyArn`)

func explain(subject *access.Subject, req policy.Request, d policy.Decision) *denial {
	m := &denial{ExplicitDeny: d.Explicit}
	m.MatchedStatements.Items, m.Failures.Items = []denialStatement{}, []string{}
	if st := d.Statement; st != nil {
		m.MatchedStatements.Items = append(m.MatchedStatements.Items, denialStatement{
			StatementID: st.Sid, Effect: strings.ToUpper(string(st.Effect)),
			Principals: valuesOf([]string{subject.Caller.UserID()}), PrincipalGroups: valuesOf(nil),
			Actions:    valuesOf(append(st.Actions, st.NotActions...)),
			Resources:  valuesOf(append(st.Resources, st.NotResources...)),
			Conditions: items[keyOf]{Items: []keyOf{}},
		})
	}
	c := &m.Context
	c.Principal.ID, c.Principal.Name, c.Principal.ARN = subject.Caller.UserID(),
		subject.Caller.UserName(), subject.Caller.ARN()
	c.Action, c.Resource = req.Action, d.Resource
	c.Conditions.Items = []keyOf{}
	keys := shownKeys
	if d.Policy != nil {
		keys = append(keys[:len(keys):len(keys)], d.Policy.Document.ContextKeys()...)
	}
	shown := map[string]bool{}
	for _, key := range keys {
		lower := policy.Fold(key)
		if v := req.Context(lower).Texts; v != nil && !shown[lower] {
			shown[lower] = true
			c.Conditions.Items = append(c.Conditions.Items, keyOf{key, valuesOf(v)})
		}
	}
	return m
}

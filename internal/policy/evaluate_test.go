package policy

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// vector is an entry of testdata/decisions.json: the documents that apply to a
// caller, its request, and AWS's sentence for a refusal, "" for an allow.
type vector struct {
	Name     string
	Identity []json.RawMessage
	Boundary []json.RawMessage
	Session  []json.RawMessage
	Control  []json.RawMessage
	Trust    json.RawMessage
	Resource []json.RawMessage

	SessionRequired bool
	Owner           string // the account of the role or the resource
	Caller          string // a key of callers; "user" is the default
	Action          string
	Resources       []string
	Context         map[string][]string
	Denied          string
}

const (
	bobARN     = "arn:aws:iam::111111111111:user/bob"
	sessionARN = "arn:aws:sts::111111111111:assumed-role/dev/s"
)

var callers = map[string]Principal{
	"":     {Type: User, ARN: bobARN, ID: "AIDABOBBOBBOBBOBBOB1", Account: "111111111111"},
	"root": {Type: Root, ARN: "arn:aws:iam::111111111111:root", Account: "111111111111"},
	"session": {Type: RoleSession, ARN: sessionARN, Role: "arn:aws:iam::111111111111:role/dev",
		ID: "AROADEVDEVDEVDEVDEV1", Account: "111111111111"},
	"federated": {Type: FederatedUser, ARN: "arn:aws:sts::111111111111:federated-user/fay", Account: "111111111111"},
	"service":   {Type: Service, ARN: "ec2.amazonaws.com"},
	"web":       {Type: Federated, ARN: "arn:aws:iam::111111111111:oidc-provider/idp.example.com"},
}

// attach parses documents. The ARN of each names its layer.
func attach(t *testing.T, layer string, kind Kind, texts []json.RawMessage) []Policy {
	t.Helper()
	var list []Policy
	for _, text := range texts {
		list = append(list,
			Policy{Document: mustParse(t, string(text), kind), ARN: "arn:aws:iam::111111111111:policy/" + layer})
	}
	return list
}

func (v vector) decide(t *testing.T) (Principal, Decision) {
	t.Helper()
	caller, known := callers[v.Caller]
	if !known {
		t.Fatalf("caller %q", v.Caller)
	}
	req := Request{Principal: caller, Action: v.Action, Resources: v.Resources, Context: NewContext(v.Context)}
	policies := Policies{
		Identity:        attach(t, "identity", Inline, v.Identity),
		Boundary:        attach(t, "boundary", Boundary, v.Boundary),
		Session:         attach(t, "session", Session, v.Session),
		Control:         attach(t, "control", Control, v.Control),
		Resource:        attach(t, "resource", Resource, v.Resource),
		SessionRequired: v.SessionRequired,
		ResourceAccount: v.Owner,
	}
	if v.Trust != nil {
		trust := Policy{Document: mustParse(t, string(v.Trust), Trust)}
		d, err := AssumeRole(t.Context(), req, policies, trust, v.Owner)
		if err != nil {
			t.Fatal(err)
		}
		return caller, d
	}
	return caller, decide(t, req, policies)
}

// decide is Evaluate without a limit on the work.
func decide(t testing.TB, req Request, p Policies) Decision {
	t.Helper()
	d, err := Evaluate(context.Background(), req, p)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func allowed(t testing.TB, req Request, p Policies) bool {
	t.Helper()
	return decide(t, req, p).Allowed
}

func TestDecisions(t *testing.T) {
	data, err := os.ReadFile("testdata/decisions.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			caller, d := v.decide(t)
			if d.Allowed != (v.Denied == "") {
				t.Fatalf("allowed = %v (layer %d)", d.Allowed, d.Layer)
			}
			if d.Allowed {
				return
			}
			resource := "*"
			if len(v.Resources) > 0 {
				resource = d.Resource
			}
			got := DenialText(caller.ARN, v.Action, resource, d)
			want := "User: " + caller.ARN + " is not authorized to perform: " + v.Action + " on resource: " + v.Denied
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("sentence (-want +got):\n%s", diff)
			}
		})
	}
}

func document(t testing.TB, statements string) *Document {
	t.Helper()
	return mustParse(t, `{"Version":"2012-10-17","Statement":[`+statements+`]}`, Managed)
}

// TestDecisionReason checks that the answer names the policy and the statement.
func TestDecisionReason(t *testing.T) {
	allow := Policy{Name: "first",
		Document: document(t,
			`{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"b","Effect":"Allow",`+
				`"Action":"iam:*","Resource":"*"}`)}
	deny := Policy{ARN: "arn:aws:iam::111111111111:policy/p",
		Document: document(t, `{"Sid":"c","Effect":"Deny","Action":"iam:Delete*","Resource":"*"}`)}
	policies := Policies{Identity: []Policy{allow, deny}}

	d := decide(t, Request{Action: "iam:GetUser"}, policies)
	if !d.Allowed || d.Layer != IdentityLayer || d.Policy.Name != "first" || d.Statement.Sid != "b" ||
		d.Resource != "*" {
		t.Errorf("allowed by %+v %+v", d.Policy, d.Statement)
	}
	d = decide(t, Request{Action: "iam:DeleteUser"}, policies)
	if d.Allowed || !d.Explicit || d.Policy.ARN != deny.ARN || d.Statement.Sid != "c" {
		t.Errorf("denied by %+v %+v", d.Policy, d.Statement)
	}
	d = decide(t, Request{Action: "sts:GetSessionToken"}, policies)
	if d.Allowed || d.Explicit || d.Policy != nil || d.Statement != nil {
		t.Errorf("refused by %+v %+v", d.Policy, d.Statement)
	}
}

// TestEvaluateResources checks that each of several resources must be allowed,
// and that the refused one is named.
func TestEvaluateResources(t *testing.T) {
	p := Policies{Identity: []Policy{
		{Document: document(t,
			`{"Effect":"Allow","Action":"iam:AddUserToGroup","Resource":["arn:aws:iam::1:group/*",`+
				`"arn:aws:iam::1:user/bob"]}`)}}}
	for user, want := range map[string]bool{"bob": true, "eve": false} {
		arn := "arn:aws:iam::1:user/" + user
		resources := []string{"arn:aws:iam::1:group/g", arn, "arn:aws:iam::1:group/h"}
		d := decide(t, Request{Action: "iam:AddUserToGroup", Resources: resources}, p)
		if d.Allowed != want || !want && d.Resource != arn {
			t.Errorf("%s: allowed = %v on %s", user, d.Allowed, d.Resource)
		}
	}
}

func TestMatching(t *testing.T) {
	policies := []Policy{
		{Name: "p", Document: document(t,
			`{"Sid":"a","Effect":"Allow","Action":"iam:*","Resource":"*"},{"Sid":"b","Effect":"Allow",`+
				`"Action":"s3:*","Resource":"*"}`)},
		{Name: "q", Document: document(t, `{"Sid":"c","Effect":"Deny","Action":"iam:Get*","Resource":"*"}`)},
	}
	var got []string
	matches, err := Matching(t.Context(), Request{Action: "iam:GetUser"}, "*", policies)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range matches {
		got = append(got, m.Policy.Name+m.Statement.Sid)
	}
	if diff := cmp.Diff([]string{"pa", "qc"}, got); diff != "" {
		t.Errorf("Matching (-want +got):\n%s", diff)
	}
}

func TestDenialText(t *testing.T) {
	inline := &Policy{Name: "inline"}
	managed := &Policy{ARN: "arn:aws:iam::1:policy/p"}
	tests := []struct {
		name, resource, want string
		decision             Decision
	}{
		{"without a resource", "",
			"User: me is not authorized to perform: sts:AssumeRole because no role trust policy allows the " +
				"sts:AssumeRole action", Decision{Layer: TrustLayer}},
		{"explicit, inline", "user bob",
			"User: me is not authorized to perform: sts:AssumeRole on resource: user bob with an explicit deny in an " +
				"identity-based policy", Decision{Layer: IdentityLayer, Explicit: true, Policy: inline}},
		{"explicit, managed", "user bob",
			"User: me is not authorized to perform: sts:AssumeRole on resource: user bob with an explicit deny in a " +
				"permissions boundary: arn:aws:iam::1:policy/p",
			Decision{Layer: BoundaryLayer, Explicit: true, Policy: managed}},
		{"no layer", "*", "User: me is not authorized to perform: sts:AssumeRole on resource: *", Decision{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want,
				DenialText("me", "sts:AssumeRole", test.resource, test.decision)); diff != "" {
				t.Errorf("sentence (-want +got):\n%s", diff)
			}
		})
	}
}

// TestContextIsLazy checks that a key is requested only by a statement whose
// action and resource match.
func TestContextIsLazy(t *testing.T) {
	p := Policies{Identity: []Policy{
		{Document: document(t,
			`{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${t:a}","Condition":{"Bool":{"t:b":"true"}}},
	 {"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::1:user/x","Condition":{"Bool":{"t:c":"true"}}},{"Effect":"Allow","Action":"iam:Get*","Resource":"*"}`)}}}
	asked := func(key string) Values {
		t.Errorf("asked for %s", key)
		return Values{}
	}
	if !allowed(t, Request{Action: "iam:GetUser", Resources: []string{"arn:aws:iam::1:user/y"}, Context: asked}, p) {
		t.Error("refused")
	}
}

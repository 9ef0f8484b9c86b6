package service_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/service"
)

// The error for a session policy that does not begin like one says that it is
// not JSON. Any other text is parsed. Every action that accepts one gives the
// same answer.
func TestSessionPolicyFormat(t *testing.T) {
	t.Parallel()
	const noJSON, syntax = "The policy is not in the valid JSON format.", "Syntax errors in policy."
	const rule = " failed to satisfy constraint: Member must "
	const pattern = rule + `satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u00FF]+`
	valid := *statement("Allow", `"iam:ListUsers"`, "")
	for action, call := range sessionPolicyCalls(t) {
		t.Run(action, func(t *testing.T) {
			for document, message := range map[string]string{
				"invalid policy": noJSON, "x": noJSON, "}": noJSON, "[]": noJSON,
				`"{}"`: noJSON, "null": noJSON, "\u00a0{}": noJSON, " \t\r\n": noJSON,
				"{": syntax, "{}": syntax, " {}": syntax,
				`{"Version":"2012-10-17"}`: syntax, valid + "x": syntax, "{invalid policy}": syntax,
				valid: "", " \t\r\n" + valid + "\n": "",
			} {
				want := failure{400, "MalformedPolicyDocument", message}
				if message == "" {
					want = failure{}
				}
				if err := call(document); failureOf(err) != want {
					t.Errorf("%q: got %v, want %+v", document, err, want)
				}
			}
			for document, violation := range map[string]string{
				"": "Value '' at 'policy'" + rule + "have length greater than or equal to 1; " +
					"Value '' at 'policy'" + pattern,
				"\ufeff" + valid: "Value '\ufeff" + valid + "' at 'policy'" + pattern,
			} {
				got := failureOf(call(document))
				if got.code != "ValidationError" || !strings.HasSuffix(got.message, " detected: "+violation) {
					t.Errorf("%q: got %+v", document, got)
				}
			}
		})
	}
}

// sessionPolicyCalls returns the actions that accept a session policy, each
// with everything else that it needs.
func sessionPolicyCalls(t *testing.T) map[string]func(document string) error {
	t.Helper()
	i, saml := newIssuer(t), newSAMLIssuer(t)
	web, webRole := federatedWorld(t, service.Config{WebIdentityKeys: map[string]string{issuerURL: i.URL}}, "")
	web.user(t, "Ann")
	ann, role := web.asUser(t, "Ann"), web.role(t, "plain", trusting("Ann"))
	web.putUserPolicy(t, "Ann", statement("Allow", `"sts:GetFederationToken"`, ""))
	samlWorld, samlRole := samlWorld(t, saml, "{}")
	return map[string]func(string) error{
		"AssumeRole": func(document string) error {
			in := &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: ptr("night"), Policy: &document}
			_, err := ann.sts.AssumeRole(t.Context(), in)
			return err
		},
		"AssumeRoleWithWebIdentity": func(document string) error {
			_, err := web.anonymous().sts.AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
				RoleArn: &webRole, RoleSessionName: ptr("night"), WebIdentityToken: ptr(web.token(t, i, nil)),
				Policy: &document,
			})
			return err
		},
		"AssumeRoleWithSAML": func(document string) error {
			response := saml.signWhole(t, samlResponse(samlWorld.clock.Now(), samlRole))
			_, err := samlWorld.anonymous().sts.AssumeRoleWithSAML(t.Context(), &sts.AssumeRoleWithSAMLInput{
				RoleArn: &samlRole, PrincipalArn: ptr(samlProviderARN), SAMLAssertion: encoded(response),
				Policy: &document,
			})
			return err
		},
		"GetFederationToken": func(document string) error {
			in := &sts.GetFederationTokenInput{Name: ptr("guest"), Policy: &document}
			_, err := ann.sts.GetFederationToken(t.Context(), in)
			return err
		},
	}
}

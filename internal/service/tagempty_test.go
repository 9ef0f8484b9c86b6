package service_test

import (
	"strings"
	"testing"

	"rollcall/internal/awsmodel"
)

// Every action with a list of tags or of tag keys gives AWS's recorded answer
// to an empty list.
func TestEmptyTagLists(t *testing.T) {
	t.Parallel()
	w, untested := inMemory(t), tagging()
	has := w.furnish(t, w.root, account, "thing", "mark")
	const validating = "Error occurred while validating input. "
	const noTags = "The provided tag map must not be null/empty."
	const noKeys = "The provided tag keys must not be null/empty."
	for resource, test := range map[string]struct{ names, tag, untag string }{
		"User":                  {"UserName=" + has["name"], validating, ""},
		"Role":                  {"RoleName=" + has["name"], validating, ""},
		"Policy":                {"PolicyArn=" + has["policy"], noTags, noKeys},
		"InstanceProfile":       {"InstanceProfileName=" + has["name"], noTags, noKeys},
		"MFADevice":             {"SerialNumber=" + has["device"], noTags, noKeys},
		"OpenIDConnectProvider": {"OpenIDConnectProviderArn=" + has["oidc"], noTags, noKeys},
		"SAMLProvider":          {"SAMLProviderArn=" + has["saml"], noTags, noKeys},
		"ServerCertificate":     {"ServerCertificateName=" + has["name"], noTags, noKeys},
	} {
		t.Run(resource, func(t *testing.T) {
			wants(t, w.raw(t, call("Tag"+resource, test.names+"&Tags=")), 400, "InvalidInput", test.tag)
			got := w.raw(t, call("Untag"+resource, test.names+"&TagKeys="))
			if test.untag == "" {
				wants(t, got, 200, "", "")
			} else {
				wants(t, got, 400, "InvalidInput", test.untag)
			}
		})
		delete(untested, "Tag"+resource)
		delete(untested, "Untag"+resource)
	}
	for action := range untested {
		t.Errorf("%s is not tried", action)
	}
}

// tagging returns the actions of IAM that tag or untag.
func tagging() map[string]bool {
	all := map[string]bool{}
	for _, op := range awsmodel.Operations("iam") {
		if strings.HasPrefix(op.Name, "Tag") || strings.HasPrefix(op.Name, "Untag") {
			all[op.Name] = true
		}
	}
	return all
}

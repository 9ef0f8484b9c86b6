package identity

import (
	"net/url"
	"strings"
)

// documentOut returns a policy document for an answer. It is percent-encoded by
// RFC 3986, and clients decode it. IAM GetPolicyVersion, GetRole.
func documentOut(text string) *string {
	return ptr(strings.ReplaceAll(url.QueryEscape(text), "+", "%20"))
}

package identity

import (
	"net/url"
	"strings"
)

// documentOut is a policy document in an answer: percent-encoded by RFC 3986,
// which clients undo. IAM GetPolicyVersion, GetRole.
func documentOut(text string) *string {
	return ptr(strings.ReplaceAll(url.QueryEscape(text), "+", "%20"))
}

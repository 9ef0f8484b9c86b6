package policy

import "strings"

// wording says how denials name a layer.
var wording = [...]struct{ none, in string }{
	ControlLayer:  {"service control policy", "a service control policy"},
	ResourceLayer: {"resource-based policy", "a resource-based policy"},
	TrustLayer:    {"role trust policy", "the role trust policy"},
	IdentityLayer: {"identity-based policy", "an identity-based policy"},
	BoundaryLayer: {"permissions boundary", "a permissions boundary"},
	SessionLayer:  {"session policy", "a session policy"},
}

// DenialText returns AWS's sentence for a refusal; IAM, troubleshooting access
// denied errors. resource is the service's name for the resource, which for IAM
// is not always its ARN ("user bob"); "" omits it. The ARN of the policy
// follows an explicit deny if the policy has one.
func DenialText(callerARN, action, resource string, d Decision) string {
	var b strings.Builder
	b.WriteString("User: " + callerARN + " is not authorized to perform: " + action)
	if resource != "" {
		b.WriteString(" on resource: " + resource)
	}
	switch {
	case d.Layer == NoLayer:
	case !d.Explicit:
		b.WriteString(" because no " + wording[d.Layer].none + " allows the " + action + " action")
	default:
		b.WriteString(" with an explicit deny in " + wording[d.Layer].in)
		if d.Policy != nil && d.Policy.ARN != "" {
			b.WriteString(": " + d.Policy.ARN)
		}
	}
	return b.String()
}

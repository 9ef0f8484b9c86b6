// Package policy implements the language of IAM policies. Parse reads and
// checks a document. Evaluate decides a request by the documents that apply to
// its caller. AssumeRole decides whether a caller may assume a role. DenialText
// returns the reason for a denial.
//
// It promises what IAM promises. A statement applies when its principal,
// action, resource and every condition do. An explicit deny wins over any
// allow, in whichever kind of policy it is; without an allow the answer is no;
// a permissions boundary, a session policy and a control policy only restrict.
// A parsed Document is immutable and safe for concurrent use. Deciding by it
// allocates nothing, except if a condition holds binary data, an ARN with a
// variable, or letters beyond ASCII without case. The work of a decision is
// limited, and ends with its context.
//
// It is pure: no clock, no I/O, no state. The time of day, the caller's address
// and tags are condition keys, which are looked up only when a condition or a
// variable uses them.
//
// It refuses everything that it does not understand: an unknown or repeated
// key, an unknown operator, a value that its operator cannot read (except in
// session policies, as recorded). An accepted policy without an effect would be
// a security hole that nobody notices. Every refusal is a
// MalformedPolicyDocument with AWS's sentence if it is known.
package policy

// Package policy is the language of IAM policies: Parse reads and checks a
// document, Evaluate decides a request by the documents that reach its caller,
// AssumeRole decides who may take a role, DenialText says why not.
//
// It promises what IAM promises. A statement applies when its principal,
// action, resource and every condition do. An explicit deny wins over any
// allow, in whichever kind of policy it stands; without an allow the answer is
// no; a permissions boundary, a session policy and a control policy take away
// and never give. A parsed Document is immutable and safe for concurrent use,
// and deciding by it allocates nothing, except where a condition holds binary
// data, an ARN with a variable or letters beyond ASCII without case. The work
// of a decision is bounded, and ends with the context that it is given.
//
// It is pure: no clock, no I/O, no state. The time of day, the caller's
// address and tags come in as condition keys, looked up only when a condition
// or a variable asks for them.
//
// It refuses what it does not understand: an unknown or doubled key, an unknown
// operator, a value its operator cannot read, but for session policies, as
// recorded. A policy that was accepted and
// does nothing would be a hole that nobody sees. Every refusal is a
// MalformedPolicyDocument with AWS's sentence where it is known.
package policy

// Package awsquery implements the AWS Query protocol, the wire format of IAM
// and STS. It turns a form into the SDK's input structure, and the SDK's output
// structure into XML, or into JSON if a client requests it from STS. It also
// implements the AWS JSON 1.1 protocol of Organizations (json11.go). It knows
// Go types and the model, but no actions and no HTTP routing.
//
// One reflective codec serves every operation. It plans each operation once,
// when the list of actions is built: at the start, Of panics for a function
// whose types it does not support or whose name the model does not contain.
//
// An answer in XML has exactly AWS's bytes (no declaration, two spaces, one LF
// at the end, members in the model's order) and is well-formed whatever text it
// contains. Its length is known before its first byte, even for a report that
// is streamed in constant memory. Decode reads the same form as all other code:
// no parameter occurs twice, under any spelling of a list index.
//
// It refuses forms that are not strictly encoded, that repeat a parameter, that
// have more than MaxParameters, or that skip many elements of a list. It refuses
// JSON that gives a member twice.
package awsquery

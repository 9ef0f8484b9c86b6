// Package awsquery implements the wire of IAM and STS, the AWS Query protocol:
// it turns a form into the SDK's input structure, and the SDK's output
// structure into XML, or into JSON if a client asks STS for it. It knows Go
// types and the model, but no actions and no HTTP routing.
//
// One reflective codec serves every operation. It plans each operation once,
// when the list of actions is built: Of panics at start for a function whose
// types it cannot carry or whose name the model does not know.
//
// It promises that an answer in XML is byte for byte what AWS writes (no
// declaration, two spaces, one LF at the end, members in the model's order) and
// well-formed whatever text is in it. Its length is known before its first
// byte, also for a report that is streamed in constant memory. Decode accepts
// only what ParseForm has shown to everyone else: no parameter comes twice,
// under any spelling of a list index.
//
// It refuses forms that are not strictly encoded, that repeat a parameter, that
// hold more than MaxParameters, or that make lists grow by leaps.
package awsquery

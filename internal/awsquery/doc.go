// Package awsquery is the wire of IAM and STS, the AWS Query protocol: a form
// becomes the SDK's input structure, and the SDK's output structure becomes
// XML, or JSON where STS is asked for it. It knows Go types and the model, not actions, and no HTTP routing.
//
// One reflective codec serves every operation. Its plan is made once per
// operation, when the list of actions is built: Of refuses, by a panic at
// start, a function whose types it cannot carry or whose name the model does
// not know.
//
// Promises: an answer in XML is byte for byte what AWS writes (no declaration, two
// spaces, one LF at the end, members in the model's order), well-formed
// whatever text is in it, and its length is known before its first byte, also
// for a report that is streamed in constant memory. What Decode accepts is what
// ParseForm has shown to everyone else: no parameter comes twice, under any
// spelling of a list index.
//
// Refuses: forms that are not strictly encoded, that repeat a parameter, that
// hold more than MaxParameters, or that make lists grow by leaps.
package awsquery

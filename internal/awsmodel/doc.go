// Package awsmodel is what AWS's service models of IAM and STS say and the Go
// types of the AWS SDK do not: which members must be there, their lengths,
// ranges, patterns and value sets, the order of members on the wire, which of
// them are secret, which operations answer with a result, and the HTTP status
// of every error code.
//
// The facts are data, model.txt, written by the program in gen from the models
// that botocore ships (Apache-2.0, see NOTICE) and from gen/newer.json for what
// the SDK already has and botocore does not. No rule that AWS publishes is
// written in Go; what AWS does and does not publish (its own sentences for
// names and paths, the order in which it lists violations) is in texts.go and
// order.go.
//
// Promises: Check reports every violation of an input at once, in AWS's words
// and order, and quotes no value that the client sent. Nothing is compiled
// before it is needed, so the package costs nothing at start.
//
// Refuses: it knows no HTTP, no XML and no action's own rules; an input that
// passes Check may still be refused by the action.
package awsmodel

//go:generate go run ./gen -newer gen/newer.json -o model.txt

// Package awsmodel holds what AWS's service models of IAM and STS say and the
// Go types of the AWS SDK do not: which members are required, their lengths,
// ranges, patterns and value sets, the order of members on the wire, which of
// them are secret, which operations answer with a result, and the HTTP status
// of every error code.
//
// The facts are data, model.txt. The program in gen writes it from the models
// that botocore ships (Apache-2.0, see NOTICE) and from gen/newer.json, which
// has what is in the SDK and not yet in botocore. No rule that AWS publishes is
// written in Go. What AWS does and does not publish (its own sentences for
// names and paths, the order in which it lists violations) is in texts.go and
// order.go.
//
// It promises that Check reports every violation of an input at once, in AWS's
// words and order, and quotes no secret. Nothing is compiled before it is
// needed, so the package costs nothing at start.
//
// It knows no HTTP, no XML and no action's own rules: an input that passes
// Check may still be refused by the action.
//
// In this and other packages "recorded" marks a fact that was recorded from
// AWS, and "(G)" a guess; docs/compatibility.md explains both.
package awsmodel

//go:generate go run ./gen -newer gen/newer.json -o model.txt

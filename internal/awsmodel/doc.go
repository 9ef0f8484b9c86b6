// Package awsmodel holds facts from AWS's service models of IAM, STS and
// Organizations that are missing in the Go types of the AWS SDK: which members
// are required, their lengths, ranges, patterns and value sets, the order of
// members on the wire, which of them are secret, which operations have a result,
// and the HTTP status
// of every error code.
//
// The facts are data, model.txt. The program in gen writes it from the models
// in botocore (Apache-2.0, see NOTICE) and from gen/newer.json, which has facts
// that the SDK has and botocore does not have yet. No rule that AWS publishes
// is written in Go. Unpublished facts about AWS (its own sentences for names
// and paths, the order in which it lists violations) are in texts.go and
// order.go.
//
// Check reports every violation of an input at once, in AWS's words and order,
// and never repeats a secret. Patterns are compiled on first use, so the
// package costs nothing at start.
//
// It knows no HTTP, no XML and no action's own rules: an input that passes
// Check may still be refused by the action.
//
// In this and other packages "recorded" marks a fact that was recorded from
// AWS, and "(G)" a guess; docs/compatibility.md explains both.
package awsmodel

//go:generate go run ./gen -newer gen/newer.json -o model.txt

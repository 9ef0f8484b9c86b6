// Package e2e holds tests only: they build the binary once and drive it as
// its users do, as real processes on loopback that are stopped, killed,
// paused and starved, by real clients: the AWS CLI, boto3, the AWS SDK for Go,
// and the bytes that the AWS SDK for .NET sends, on which AWS Tools for
// PowerShell stands.
//
// Nothing is skipped: what is missing on a machine fails the test that needs
// it, and 'make test' installs it.
package e2e

// Package e2e and the packages below it hold tests only: they build the binary
// and drive it as its users do, as real processes on loopback. Here callers
// misbehave. In faults the processes are stopped, killed and starved, in nodes
// several share a store and are paused. In clients and terraform those who call
// are real: the AWS CLI, boto3, Terraform, and the bytes that the AWS SDK for
// .NET sends, on which AWS Tools for PowerShell stands. What all of them share
// is in e2etest.
//
// Nothing is skipped: what is missing on a machine fails the test that needs
// it, and 'make test' installs it.
package e2e

// Package e2e and the packages below it contain only tests. They build the
// binary and use it as its users do, as real processes on loopback. In this
// package callers misbehave. In faults the processes are stopped, killed and
// starved. In nodes several processes share a store and are paused. In clients
// and terraform the callers are real: the AWS CLI, boto3, Terraform, and the
// bytes that the AWS SDK for .NET sends, which AWS Tools for PowerShell is
// built on. The shared code is in e2etest.
//
// Nothing is skipped: a missing program fails the test that needs it, and 'make
// test' installs it.
package e2e

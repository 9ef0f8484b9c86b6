// Package terraform holds the test in which Terraform manages the service; see
// package e2e.
package terraform

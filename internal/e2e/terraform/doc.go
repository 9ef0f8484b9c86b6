// Package terraform holds the test that has Terraform manage the service; see
// package e2e.
package terraform

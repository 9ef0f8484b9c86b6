// Package clients holds tests that call the service with clients that people
// use; see package e2e.
package clients

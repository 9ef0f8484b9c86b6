// Package faults holds tests that stop, kill and starve the service; see package
// e2e.
package faults

// Package e2etest runs the binary for the tests of package e2e and of those
// below it: it builds it, starts, stops and kills it, and calls it.
package e2etest

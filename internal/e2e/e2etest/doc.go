// Package e2etest runs the binary for the tests of package e2e and of the
// packages below it: it builds, starts, stops, kills and calls it.
package e2etest

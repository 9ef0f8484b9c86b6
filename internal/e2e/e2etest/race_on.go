//go:build race

package e2etest

// RaceEnabled has the binary built with the race detector too.
const RaceEnabled = true

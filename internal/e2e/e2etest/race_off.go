//go:build !race

package e2etest

// RaceEnabled says whether the binary is built with the race detector too.
const RaceEnabled = false

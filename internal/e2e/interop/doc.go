// Package interop runs clients that Debian does not have, or has in another
// release, against the real binary. 'make interop' installs them and runs these
// tests; 'make test' does not. A client that could not be installed is named,
// with the reason, and its tests make no claim.
package interop

//go:build !linux

package hashing

import "os"

// self returns the file of this program.
func self() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}

//go:build !unix

package ownfile

import (
	"errors"
	"os"
)

// NoFollow is a flag of Open that refuses a symbolic link.
const NoFollow = 0

var errNotDirectory = errors.New("not a directory")

func cannotSync(error) bool { return false }

func adopt(*os.File, string) {}

func keep(*os.File, os.FileInfo) error { return nil }

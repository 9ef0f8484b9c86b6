//go:build !unix

package doctor

import "io/fs"

func ownerName(fs.FileInfo) string { return "its user" }

func mayUse(fs.FileInfo) bool { return true }

func foreign(_, _ fs.FileInfo) bool { return false }

// lent is true, because modes say nothing here.
func lent(fs.FileInfo) bool { return true }

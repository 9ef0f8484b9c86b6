package main

import (
	"cmp"
	"errors"
	"io/fs"
	"strings"
	"syscall"
)

// pathHints say what to do about the system's errors for paths.
var pathHints = []struct {
	err  error
	hint string
}{
	{syscall.EACCES, "run this as the owner of the path, or let this user write there"},
	{syscall.EPERM, "run this as the owner of the path"},
	{syscall.EROFS, "the file system is mounted read-only: name a path on another one"},
	{syscall.ENOSPC, "free some space there, or name a path on another file system"},
	{syscall.EDQUOT, "free some space there, or name a path on another file system"},
	{syscall.ENOTDIR, "a part of the path is a file and not a directory: name another path"},
	{syscall.EISDIR, "it is a directory: name a file in it"},
	{syscall.ELOOP, "a symbolic link is not allowed there: put the file itself there"},
}

// withHint returns the text of an error and, if the system refused a path, a
// hint what to do.
func withHint(err error) string {
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	var of *fs.PathError
	if errors.As(err, &of) && (of.Op == "open" || of.Op == "stat" || of.Op == "lstat") {
		// The user named a file, and not a call of the system.
		name := cmp.Or(of.Path, `""`)
		text = strings.Replace(text, of.Op+" "+of.Path+": ", name+": ", 1)
	}
	for _, h := range pathHints {
		if errors.Is(err, h.err) {
			return text + " (" + h.hint + ")"
		}
	}
	return text
}

package main

import (
	"errors"
	"strings"
	"syscall"
)

// pathHints say what to do about what the system says of a path, for every
// command.
var pathHints = []struct {
	err  error
	hint string
}{
	{syscall.EACCES, "run this as the user whom the path belongs to, or let this user write there"},
	{syscall.EPERM, "run this as the user whom the path belongs to"},
	{syscall.EROFS, "the file system is mounted read-only: name a path on another one"},
	{syscall.ENOSPC, "make room there, or name a path on another file system"},
	{syscall.EDQUOT, "make room there, or name a path on another file system"},
	{syscall.ENOTDIR, "there is a file where the path has a directory: name another path"},
	{syscall.EISDIR, "it is a directory: name a file in it"},
	{syscall.ELOOP, "a symbolic link is not allowed there: put the file itself there"},
}

// withHint is the text of an error, and what to do about it where the system
// refused a path.
func withHint(err error) string {
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	for _, h := range pathHints {
		if errors.Is(err, h.err) {
			return text + " (" + h.hint + ")"
		}
	}
	return text
}

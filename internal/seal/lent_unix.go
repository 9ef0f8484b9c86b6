//go:build unix

package seal

import (
	"io/fs"
	"os"
	"syscall"
)

// lentByRoot reports whether root owns a file and lets a group read it, and this
// process is not root's. Secrets come so from Kubernetes and from packages:
// their owner is root and their group is the service's.
func lentByRoot(info fs.FileInfo) bool {
	system, ok := info.Sys().(*syscall.Stat_t)
	return ok && lent(info.Mode(), system.Uid, os.Geteuid())
}

func lent(mode fs.FileMode, owner uint32, reader int) bool {
	return owner == 0 && reader != 0 && mode.Perm()&0o037 == 0
}

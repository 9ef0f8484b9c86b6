//go:build unix

package doctor

import (
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

func ownerOf(info fs.FileInfo) (uid uint32, ok bool) {
	system, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return system.Uid, true
}

// ownerName returns the name of a file's owner, or the number of one without a
// name.
func ownerName(info fs.FileInfo) string {
	uid, ok := ownerOf(info)
	if !ok {
		return "an unknown user"
	}
	number := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(number); err == nil {
		return u.Username
	}
	return number
}

// mayUse reports whether this process is its owner's, or root's.
func mayUse(info fs.FileInfo) bool {
	uid, ok := ownerOf(info)
	return !ok || os.Geteuid() == 0 || uid == uint32(os.Geteuid())
}

// foreign reports whether a file has another owner than its directory. Root may
// lend files to the service, see lent.
func foreign(info, dir fs.FileInfo) bool {
	uid, ok1 := ownerOf(info)
	above, ok2 := ownerOf(dir)
	return ok1 && ok2 && uid != above && !lent(info)
}

// lent reports whether root owns a file and lets a group read it, as Kubernetes
// mounts secrets.
func lent(info fs.FileInfo) bool {
	uid, ok := ownerOf(info)
	return ok && uid == 0 && info.Mode().Perm()&0o077 == 0o040
}

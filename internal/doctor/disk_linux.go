package doctor

import (
	"slices"

	"golang.org/x/sys/unix"
)

// networks are the kinds of file systems that other machines keep.
var networks = []int64{unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC,
	unix.CEPH_SUPER_MAGIC, unix.AFS_SUPER_MAGIC, unix.CODA_SUPER_MAGIC}

// spaceOf returns the space of the file system of a directory.
func spaceOf(dir string) (s space, ok bool) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return s, false
	}
	return space{
		free: int64(fs.Bavail) * fs.Bsize, size: int64(fs.Blocks) * fs.Bsize,
		inodes: int64(fs.Ffree), offers: int64(fs.Files),
		readOnly: fs.Flags&unix.ST_RDONLY != 0, network: slices.Contains(networks, fs.Type),
	}, true
}

// descriptorLimit returns the number of files that this process may have open.
func descriptorLimit() (int64, bool) {
	var limit unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
	return int64(min(limit.Cur, 1<<40)), err == nil
}

//go:build !unix

package seal

import "os"

// withFileLock runs f while no other process runs f for the same path. Without
// advisory locks the lock is a file that exists; one left by a crash must be
// removed by hand.
func withFileLock(path string, f func() error) error {
	lock, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(path + ".lock")
	defer lock.Close()
	return f()
}

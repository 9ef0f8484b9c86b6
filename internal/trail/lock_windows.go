package trail

import (
	"os"

	"golang.org/x/sys/windows"
)

// lockFile waits for the lock of an open file. It locks a byte far behind the
// text, so that the text can be read.
func lockFile(f *os.File) (unlock func()) {
	h := windows.Handle(f.Fd())
	if windows.LockFileEx(h, windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1 << 20}) != nil {
		return func() {}
	}
	return func() { _ = windows.UnlockFileEx(h, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1 << 20}) }
}

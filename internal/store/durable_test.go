package store_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// watchedDisk is SQLite's own file system. It knows what a power cut would take
// of the write-ahead log.
type watchedDisk struct {
	vfs.VFSFilename
	// unsynced is the number of writes to the log without a later sync.
	unsynced, synced *atomic.Int64
}

func (d watchedDisk) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := d.VFSFilename.OpenFilename(name, flags)
	if err != nil {
		return f, flags, err
	}
	return watchedFile{f.(diskFile), d, strings.HasSuffix(name.String(), "-wal")}, flags, nil
}

// diskFile is the interface of a file of SQLite's own.
type diskFile interface {
	vfs.FileSharedMemory
	vfs.FileLockState
	vfs.FileHasMoved
	vfs.FileSizeHint
	vfs.FilePersistWAL
	vfs.FilePowersafeOverwrite
}

type watchedFile struct {
	diskFile
	disk watchedDisk
	log  bool
}

func (f watchedFile) WriteAt(b []byte, off int64) (int, error) {
	if f.log {
		f.disk.unsynced.Add(1)
	}
	return f.diskFile.WriteAt(b, off)
}

func (f watchedFile) Sync(flags vfs.SyncFlag) error {
	err := f.diskFile.Sync(flags)
	if f.log && err == nil {
		f.disk.unsynced.Store(0)
		f.disk.synced.Add(1)
	}
	return err
}

// An acknowledged change has reached the disk, so a power cut cannot lose it.
func TestAcknowledgedIsSynced(t *testing.T) {
	t.Parallel()
	disk := watchedDisk{vfs.Find("").(vfs.VFSFilename), &atomic.Int64{}, &atomic.Int64{}}
	vfs.Register("watched", disk)
	t.Cleanup(func() { vfs.Unregister("watched") })
	db := storetest.Open(t, storetest.SQLite(t).WithVFS("watched"))
	fill(t, db)
	for _, name := range []string{"ann", "bob", "cem"} {
		before := disk.synced.Load()
		update(t, db, func(tx *store.Tx) error { return tx.InsertUser(user(name)) })
		if n := disk.unsynced.Load(); n > 0 || disk.synced.Load() == before {
			t.Errorf("%s is acknowledged, and of the log %d writes are not on the disk, after %d syncs", name, n,
				disk.synced.Load()-before)
		}
	}
}

package store_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// fault is something that a disk does wrong once.
type fault int

const (
	noFault    fault = iota
	powerCut         // in the middle of a write or before a sync; nothing works afterwards
	shortWrite       // only the beginning of a write arrives, and the write fails
	failedSync       // a sync fails, and any of the writes before it may be lost
	numFaults
)

func (f fault) String() string {
	return [...]string{"none", "power cut", "short write", "failed sync"}[f]
}

// faultyDisk is SQLite's own file system on a disk with a fault. Beside each file
// it keeps what a power cut would leave of it: what was synced, and any of the
// writes since then, each whole or in part.
type faultyDisk struct {
	vfs.VFSFilename
	mu     sync.Mutex
	random *rand.Rand
	files  map[string]*platter
	fault  fault
	at     int // the operation that meets the fault, or the next one that can
	count  int // of writes, truncations and syncs so far
	met    bool
	dark   bool // the power is gone
	// slow is the time that each sync takes.
	slow atomic.Int64
	// hold lets syncs wait, and held counts those that began to.
	hold sync.RWMutex
	held atomic.Int64
}

// holdSyncs lets syncs wait until they are released.
func (d *faultyDisk) holdSyncs() (release func()) {
	d.hold.Lock()
	d.held.Store(0)
	return sync.OnceFunc(d.hold.Unlock)
}

// platter is a file as the disk has it.
type platter struct {
	durable []byte
	pending []write
}

// write is a write or a truncation that was not synced.
type write struct {
	data     []byte
	at       int64
	truncate bool
}

func (w write) apply(b []byte) []byte {
	end := w.at + int64(len(w.data))
	if w.truncate {
		end = w.at
	}
	if grown := max(end, int64(len(b))); grown > int64(len(b)) {
		b = append(b, make([]byte, grown-int64(len(b)))...)
	}
	if w.truncate {
		return b[:end]
	}
	copy(b[w.at:], w.data)
	return b
}

// newFaultyDisk registers the disk under a name of its own.
func newFaultyDisk(t *testing.T, f fault, at int, seed uint64) (d *faultyDisk, name string) {
	t.Helper()
	d = &faultyDisk{VFSFilename: vfs.Find("").(vfs.VFSFilename), random: rand.New(rand.NewPCG(seed, 0)),
		files: map[string]*platter{}, fault: f, at: at}
	name = t.Name()
	vfs.Register(name, d)
	t.Cleanup(func() { vfs.Unregister(name) })
	return d, name
}

func (d *faultyDisk) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := d.VFSFilename.OpenFilename(name, flags)
	if err != nil {
		return f, flags, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dark {
		_ = f.Close()
		return nil, flags, sqlite3.CANTOPEN
	}
	path := name.String()
	p := d.files[path]
	if p == nil {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, flags, err
		}
		p = &platter{durable: content}
		d.files[path] = p
	}
	return faultyFile{f.(diskFile), d, p}, flags, nil
}

func (d *faultyDisk) Delete(name string, syncDir bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dark {
		return sqlite3.IOERR_DELETE
	}
	delete(d.files, name)
	return d.VFSFilename.Delete(name, syncDir)
}

// next counts an operation and returns the fault that it meets.
func (d *faultyDisk) next(sync bool) fault {
	d.count++
	possible := d.fault == powerCut || sync == (d.fault == failedSync)
	if d.fault == noFault || d.met || d.count < d.at || !possible {
		return noFault
	}
	d.met = true
	d.dark = d.fault == powerCut
	return d.fault
}

// survive applies any of the writes that were not synced: all, none, or each by
// chance, and of some only the first sectors.
func (d *faultyDisk) survive(p *platter) {
	chance := d.random.IntN(3)
	for _, w := range p.pending {
		if chance == 0 || chance == 1 && d.random.IntN(2) == 0 {
			continue
		}
		if sectors := len(w.data) / 512; chance == 1 && sectors > 1 && d.random.IntN(4) == 0 {
			w.data = w.data[:512*d.random.IntN(sectors)]
		}
		p.durable = w.apply(p.durable)
	}
	p.pending = nil
}

// leave writes what is on the disk after the power came back to a folder.
func (d *faultyDisk) leave(t *testing.T, to string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dark = true
	for path, p := range d.files {
		d.survive(p)
		if err := os.WriteFile(filepath.Join(to, filepath.Base(path)), p.durable, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

type faultyFile struct {
	diskFile
	disk *faultyDisk
	*platter
}

func (f faultyFile) ReadAt(b []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	dark := f.disk.dark
	f.disk.mu.Unlock()
	if dark {
		return 0, sqlite3.IOERR_READ
	}
	return f.diskFile.ReadAt(b, off)
}

func (f faultyFile) WriteAt(b []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.dark {
		return 0, sqlite3.IOERR_WRITE
	}
	met := f.disk.next(false)
	if met != noFault {
		b = b[:f.disk.random.IntN(len(b))]
	}
	f.pending = append(f.pending, write{data: append([]byte(nil), b...), at: off})
	if met == powerCut {
		return 0, sqlite3.IOERR_WRITE
	}
	n, err := f.diskFile.WriteAt(b, off)
	if met != noFault {
		err = sqlite3.IOERR_WRITE
	}
	return n, err
}

func (f faultyFile) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.dark || f.disk.next(false) != noFault {
		return sqlite3.IOERR_TRUNCATE
	}
	f.pending = append(f.pending, write{at: size, truncate: true})
	return f.diskFile.Truncate(size)
}

// Sync makes the writes durable without a sync of the file below, which would
// only take time.
func (f faultyFile) Sync(vfs.SyncFlag) error {
	time.Sleep(time.Duration(f.disk.slow.Load()))
	f.disk.held.Add(1)
	f.disk.hold.RLock()
	f.disk.hold.RUnlock() //nolint:staticcheck // it only waits
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.dark {
		return sqlite3.IOERR_FSYNC
	}
	switch f.disk.next(true) {
	case powerCut:
		return sqlite3.IOERR_FSYNC
	case failedSync: // the kernel may forget what it could not write
		f.disk.survive(f.platter)
		return sqlite3.IOERR_FSYNC
	}
	for _, w := range f.pending {
		f.durable = w.apply(f.durable)
	}
	f.pending = nil
	return nil
}

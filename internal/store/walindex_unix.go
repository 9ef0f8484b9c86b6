//go:build unix

package store

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"unsafe"

	sys "golang.org/x/sys/unix"
)

// walIndex watches the header of SQLite's WAL-index, the file FILE-shm that all
// processes with the database map. Every commit changes it before the commit is
// acknowledged. So anything that was read while the header was the same is
// still true. SQLite documents the format (walformat.html, "The WAL-Index File
// Format").
type walIndex struct{ page []byte }

// openWALIndex maps the WAL-index of an open database.
func openWALIndex(path string) (*walIndex, error) {
	f, err := os.Open(path + "-shm")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	page, err := sys.Mmap(int(f.Fd()), 0, os.Getpagesize(), sys.PROT_READ, sys.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", f.Name(), err)
	}
	w := &walIndex{page}
	// It is unmapped when no caller can use it any more, not when the store is
	// closed. A late caller would crash the whole process.
	runtime.AddCleanup(w, func(page []byte) { _ = sys.Munmap(page) }, page)
	return w, nil
}

// header reads the header. ok is false while a commit is writing it.
func (w *walIndex) header() (h walHeader, ok bool) {
	words := unsafe.Slice((*uint32)(unsafe.Pointer(&w.page[0])), 2*len(h))
	for i := range h {
		h[i] = atomic.LoadUint32(&words[i])
	}
	for i := range h {
		if atomic.LoadUint32(&words[len(h)+i]) != h[i] {
			return h, false
		}
	}
	return h, true
}

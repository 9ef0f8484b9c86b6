package review

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// The signatures and sizes of the records of a ZIP file (APPNOTE.TXT 6.3, 4.3).
const (
	localHeader     = "PK\x03\x04"
	directoryHeader = "PK\x01\x02"

	localSize = 30
	endSize   = 22
	end64Size = 56 + 20 // with the locator
)

// layout refuses a ZIP file with anything besides the files in its directory, which
// is at the end. Programs that unpack from the beginning would write what is there,
// although no directory names it.
func layout(r io.ReaderAt, size int64, files []*zip.File) error {
	starts := make(map[*zip.File]int64, len(files))
	for _, f := range files {
		start, err := f.DataOffset()
		if err != nil {
			return err
		}
		starts[f] = start
	}
	files = slices.SortedFunc(slices.Values(files), func(a, b *zip.File) int { return int(starts[a] - starts[b]) })
	at := int64(0)
	for i, f := range files {
		header := make([]byte, localSize+len(f.Name))
		if _, err := r.ReadAt(header, at); err != nil {
			return err
		}
		name := int64(binary.LittleEndian.Uint16(header[26:]))
		extra := int64(binary.LittleEndian.Uint16(header[28:]))
		if string(header[:4]) != localHeader || at+localSize+name+extra != starts[f] ||
			string(header[localSize:]) != f.Name || name != int64(len(f.Name)) {
			return fmt.Errorf("byte %d does not begin %s", at, f.Name)
		}
		next := localHeader
		if i == len(files)-1 {
			next = directoryHeader
		}
		at = afterData(r, starts[f]+int64(f.CompressedSize64), f, next) //nolint:gosec // the reader has read it
	}
	return directory(r, size, at)
}

// afterData returns the end of a file whose data end at a byte. A record about the
// data may follow, which has four forms.
func afterData(r io.ReaderAt, at int64, f *zip.File, next string) int64 {
	if f.Flags&0x8 == 0 {
		return at
	}
	for _, n := range []int64{12, 16, 20, 24} {
		signature := make([]byte, len(next))
		if _, err := r.ReadAt(signature, at+n); err == nil && string(signature) == next {
			return at + n
		}
	}
	return at
}

// directory checks that the directory begins at a byte, and goes to the end.
func directory(r io.ReaderAt, size, at int64) error {
	end := make([]byte, endSize)
	if _, err := r.ReadAt(end, size-endSize); err != nil {
		return err
	}
	if string(end[:4]) != "PK\x05\x06" {
		return errors.New("something follows the directory")
	}
	length, start := uint64(binary.LittleEndian.Uint32(end[12:])), uint64(binary.LittleEndian.Uint32(end[16:]))
	last := uint64(size - endSize) //nolint:gosec // the record was read
	if binary.LittleEndian.Uint16(end[8:]) == math.MaxUint16 || length == math.MaxUint32 || start == math.MaxUint32 {
		last -= end64Size
		end64 := make([]byte, end64Size)
		if _, err := r.ReadAt(end64, size-endSize-end64Size); err != nil {
			return err
		}
		length, start = binary.LittleEndian.Uint64(end64[40:]), binary.LittleEndian.Uint64(end64[48:])
	}
	if start != uint64(at) || length > last || start != last-length { //nolint:gosec // at is not negative
		return fmt.Errorf("byte %d does not begin the directory, or something follows the directory", at)
	}
	return nil
}

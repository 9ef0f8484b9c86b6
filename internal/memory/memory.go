// Package memory adapts the garbage collector to the memory that the process
// may use. The process does not outgrow a small container while little memory
// is in use, and a small heap is not collected more often than is worthwhile.
package memory

import (
	"bufio"
	"io/fs"
	"math"
	"os"
	"path"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
)

// Granted returns the number of bytes that the process may use: the minimum of
// the machine's memory and the limits of the control groups around the process,
// in versions 1 and 2 of their interface. It is 0 if that is unknown. root is
// the root of the file system.
func Granted(root fs.FS) int64 {
	least := int64(math.MaxInt64)
	note := func(n int64) {
		if n > 0 {
			least = min(least, n)
		}
	}
	note(machine(root))
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		groups = nil
	}
	for line := range strings.Lines(string(groups)) {
		// hierarchy:controllers:path
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for _, controller := range strings.Split(parts[1], ",") {
			switch controller {
			case "":
				note(limit(root, "sys/fs/cgroup", parts[2], "memory.max"))
			case "memory":
				note(limit(root, "sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes"))
			}
		}
	}
	if least == math.MaxInt64 {
		return 0
	}
	return least
}

// limit returns the lowest limit of a group and its ancestors, 0 for none. In a
// container the path may be the host's. Then only the top exists.
func limit(root fs.FS, mount, group, file string) (least int64) {
	for dir := path.Join(mount, path.Clean("/"+group)); ; dir = path.Dir(dir) {
		text, err := fs.ReadFile(root, path.Join(dir, file))
		if err == nil {
			// "max" means none; so does version 1's largest number of whole
			// pages.
			n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
			if err == nil && n > 0 && n < 1<<60 && (least == 0 || n < least) {
				least = n
			}
		}
		if dir == mount {
			return least
		}
	}
}

// machine returns MemTotal of /proc/meminfo.
func machine(root fs.FS) int64 {
	f, err := root.Open("proc/meminfo")
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "MemTotal:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err == nil {
				return kib << 10
			}
		}
	}
	return 0
}

// Fit adapts the collector to the granted memory (0 for unknown). GOGC and
// GOMEMLIMIT in the environment take precedence, each for its part.
func Fit(granted int64) {
	if granted > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(heapOf(granted))
	}
	if os.Getenv("GOGC") == "" {
		c := &collector{spare: spareOf(granted)}
		c.fit()
		c.watch()
	}
}

// heapOf returns the part of the memory that Go may use. The rest is for memory
// that Go does not count: the database engine's, and pages of files.
func heapOf(granted int64) int64 { return granted / 10 * 6 }

// spareOf returns how far the heap may exceed the memory in use while that is
// low.
func spareOf(granted int64) int64 {
	const most = 32 << 20
	if granted <= 0 {
		return most
	}
	return min(most, granted/8)
}

// collector decides how far the heap may grow before it is collected: to five
// times the memory in use while that is low, which saves a tenth of a write's
// time, and by half when much is in use.
type collector struct {
	spare   int64
	percent int
}

func percentOf(live, spare int64) int {
	return int(min(max(100*spare/max(live, 1), 50), 400))
}

func (c *collector) fit() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	percent := percentOf(int64(live[0].Value.Uint64()), c.spare)
	// A change stops all goroutines for a moment.
	if diff := percent - c.percent; diff < -10 || diff > 10 {
		c.percent = percent
		debug.SetGCPercent(percent)
	}
}

// watch adapts the collector after every collection: a finalizer runs after the
// collection that found its object unused.
func (c *collector) watch() {
	runtime.SetFinalizer(&marker{}, func(*marker) {
		c.fit()
		c.watch()
	})
}

// marker is large enough not to share an allocation with another object.
type marker struct{ _ [32]byte }

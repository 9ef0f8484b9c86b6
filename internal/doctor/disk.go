package doctor

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Room is the space that a file system needs. Below the least the service will
// stop soon; below what is enough there is time to make room.
type Room struct {
	Least, Enough             int64 // bytes
	LeastInodes, EnoughInodes int64
}

// DefaultRoom lets the service write for some minutes at least, and for days
// under ordinary load at enough.
var DefaultRoom = Room{Least: 128 << 20, Enough: 1 << 30, LeastInodes: 100, EnoughInodes: 1000}

// space describes the room of a file system.
type space struct {
	free, size     int64 // bytes
	inodes, offers int64 // offers is 0 where files need no inodes
	readOnly       bool
	network        bool
}

// disk checks the file systems of the data and of the trail.
func (x *examination) disk() {
	folders := []string{x.Data}
	if !strings.Contains(x.Trail, "://") && x.Trail != "-" && x.Trail != "off" {
		if dir := filepath.Dir(x.Trail); dir != filepath.Clean(x.Data) {
			folders = append(folders, dir)
		}
	}
	for _, dir := range folders {
		if s, ok := spaceOf(dir); ok {
			x.room("disk of "+dir, s, dir == x.Data && x.Store.URL == "")
		}
	}
}

func (x *examination) room(check string, s space, database bool) {
	before := x.noted()
	free := fmt.Sprintf("%s of %s are free", size(s.free), size(s.size))
	const more = "make room, or move the directory to a larger file system"
	switch {
	case s.readOnly:
		x.fault(check, "the file system is read-only", "mount it for writing; dmesg may say why it is not")
	case s.size > 0 && s.free < x.Room.Least:
		x.fault(check, free, more)
	case s.size > 0 && s.free < x.Room.Enough:
		x.warn(check, free, more)
	}
	inodes := fmt.Sprintf("%d of %d inodes are free", s.inodes, s.offers)
	switch {
	case s.offers == 0:
	case s.inodes < x.Room.LeastInodes:
		x.fault(check, inodes, "delete files that nobody needs: each takes an inode")
	case s.inodes < x.Room.EnoughInodes:
		x.warn(check, inodes, "delete files that nobody needs: each takes an inode")
	}
	if s.network && database {
		x.fault(check, "SQLite does not work reliably on a network file system",
			"move the data directory to a local disk, or use PostgreSQL")
	}
	if x.noted() == before {
		x.ok(check, free)
	}
}

// size returns a number of bytes in words.
func size(n int64) string {
	const units = "kMGTPE"
	value, unit := float64(n), -1
	for value >= 1000 && unit < len(units)-1 {
		value, unit = value/1000, unit+1
	}
	if unit < 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.3g %cB", value, units[unit])
}

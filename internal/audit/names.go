package audit

import (
	"hash/maphash"
	"slices"
	"strings"
)

// names finds users who have two rows that are not next to each other. It keeps 12
// bytes for each row, and compares them only if the rows are not sorted by name.
type names struct {
	seed     maphash.Seed
	hashes   []uint64
	lines    []uint32
	last     string
	unsorted bool
}

// add adds the user of a row. Users whose names differ only in case are the same
// user to IAM.
func (n *names) add(user string, line int) {
	if len(n.hashes) == 0 {
		n.seed = maphash.MakeSeed()
	}
	name := strings.ToLower(user)
	n.unsorted = n.unsorted || name <= n.last
	n.last = name
	n.hashes = append(n.hashes, maphash.String(n.seed, name))
	n.lines = append(n.lines, uint32(line))
}

// twice returns the lines of the first two rows of a user who has several, and 0 if
// there is no such user.
func (n *names) twice() (first, second uint32) {
	if !n.unsorted {
		return 0, 0
	}
	sorted := slices.Clone(n.hashes)
	slices.Sort(sorted)
	several := map[uint64]bool{}
	for i := range sorted[1:] {
		if sorted[i] == sorted[i+1] {
			several[sorted[i]] = true
		}
	}
	seen := map[uint64]uint32{}
	for i, hash := range n.hashes {
		if !several[hash] {
			continue
		}
		if before, ok := seen[hash]; ok {
			return before, n.lines[i]
		}
		seen[hash] = n.lines[i]
	}
	return 0, 0
}

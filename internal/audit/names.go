package audit

import (
	"hash/maphash"
	"iter"
	"slices"
	"strings"
)

// names finds users who have two rows that are not next to each other. It keeps 12
// bytes for each row, and compares them only if the rows are not sorted by name.
type names struct {
	seed     maphash.Seed
	blocks   []*nameBlock // a single slice would be copied while it grows
	count    int
	last     string
	unsorted bool
}

// nameBlock has the hashes and the lines of some rows.
type nameBlock struct {
	hashes [nameBlockRows]uint64
	lines  [nameBlockRows]uint32
}

const nameBlockRows = 8192

// add adds the user of a row. Users whose names differ only in case are the same
// user to IAM.
func (n *names) add(user string, line int) {
	if n.count == 0 {
		n.seed = maphash.MakeSeed()
	}
	name := strings.ToLower(user)
	n.unsorted = n.unsorted || name <= n.last
	n.last = name
	at := n.count % nameBlockRows
	if at == 0 {
		n.blocks = append(n.blocks, new(nameBlock))
	}
	block := n.blocks[len(n.blocks)-1]
	block.hashes[at], block.lines[at] = maphash.String(n.seed, name), uint32(line)
	n.count++
}

// twice returns the lines of the first two rows of a user who has several, and 0 if
// there is no such user.
func (n *names) twice() (first, second uint32) {
	if !n.unsorted {
		return 0, 0
	}
	sorted := make([]uint64, 0, n.count)
	for hash := range n.all() {
		sorted = append(sorted, hash)
	}
	slices.Sort(sorted)
	several := map[uint64]bool{}
	for i := range sorted[1:] {
		if sorted[i] == sorted[i+1] {
			several[sorted[i]] = true
		}
	}
	seen := map[uint64]uint32{}
	for hash, line := range n.all() {
		if !several[hash] {
			continue
		}
		if before, ok := seen[hash]; ok {
			return before, line
		}
		seen[hash] = line
	}
	return 0, 0
}

// all returns the hashes and the lines of all rows, in order.
func (n *names) all() iter.Seq2[uint64, uint32] {
	return func(yield func(uint64, uint32) bool) {
		for i := range n.count {
			block, at := n.blocks[i/nameBlockRows], i%nameBlockRows
			if !yield(block.hashes[at], block.lines[at]) {
				return
			}
		}
	}
}

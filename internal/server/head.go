package server

import "bytes"

// Bounds of a request's head: its first line and its headers.
const (
	maxHeader = 64 << 10
	// maxLines is how many lines a head may have. net/http spends 100 bytes on
	// a header of four; clients of AWS send about fifteen.
	maxLines = 100
	// freeHeader is what a head may have before it draws on the memory of its
	// kind: more than a session token needs.
	freeHeader = 6 << 10
	// headerCost is how many bytes net/http holds for one of a head.
	headerCost = 2
)

// head counts the head of a request while it goes by. It does not read it:
// what a head means is net/http's to say.
type head struct {
	bytes, lines int
	line         int  // bytes of the line that goes by
	first        byte // of that line
}

// scan counts what was read. It returns how many bytes of b belong to the
// head, and whether the head ends with them.
func (h *head) scan(b []byte) (n int, done bool) {
	for n < len(b) {
		end := bytes.IndexByte(b[n:], '\n')
		if h.line == 0 {
			h.first = b[n]
		}
		if end < 0 {
			h.line += len(b) - n
			h.bytes += len(b) - n
			return len(b), false
		}
		length := h.line + end
		n, h.bytes, h.line = n+end+1, h.bytes+end+1, 0
		if length == 0 || length == 1 && h.first == '\r' {
			// Empty lines before the first are no end: net/http takes some.
			if h.lines > 0 {
				return n, true
			}
			continue
		}
		h.lines++
	}
	return n, false
}

// tooLarge says whether the head is beyond what any client needs.
func (h *head) tooLarge() bool { return h.bytes > maxHeader || h.lines > maxLines }

// cost is what the head draws on the memory of its kind.
func (h *head) cost() int64 { return headerCost * int64(max(0, h.bytes-freeHeader)) }

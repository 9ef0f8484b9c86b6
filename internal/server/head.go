package server

import "bytes"

// Limits of a request's head: its first line and its headers.
const (
	maxHeader = 64 << 10
	// maxLines limits the lines of a head. net/http spends 100 bytes on a
	// header of four bytes; clients of AWS send about fifteen lines.
	maxLines = 100
	// freeHeader is the size of a head that draws on no budget: more than a
	// session token needs.
	freeHeader = 6 << 10
	// headerCost is the number of bytes that net/http holds for each byte of a
	// head.
	headerCost = 2
)

// head counts the head of a request while it arrives. It does not interpret it;
// net/http does.
type head struct {
	bytes, lines int
	line         int  // bytes of the current line
	first        byte // of the current line
}

// scan counts the bytes that were read. It returns how many bytes of b belong
// to the head, and whether the head ends with them.
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
			// Empty lines before the first line do not end the head: net/http
			// accepts some.
			if h.lines > 0 {
				return n, true
			}
			continue
		}
		h.lines++
	}
	return n, false
}

// tooLarge reports whether the head is larger than any client needs.
func (h *head) tooLarge() bool { return h.bytes > maxHeader || h.lines > maxLines }

// cost returns the number of bytes that the head draws on the memory of its
// kind.
func (h *head) cost() int64 { return headerCost * int64(max(0, h.bytes-freeHeader)) }

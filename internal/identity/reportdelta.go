package identity

import (
	"errors"
	"strconv"
	"strings"
)

// A patch turns the row that the user has in the base into the new row. A user
// without a row in the base has the empty one there. The patch contains the
// number of bytes that both rows share at the beginning, a comma, the number
// that they share at the end, a comma, and the bytes between. Most changes are
// to one cell. The patch "" removes the row.

// patchOf returns the patch that turns a row of the base into another row.
func patchOf(base, row string) string {
	if row == "" {
		return ""
	}
	limit := min(len(base), len(row))
	begin := 0
	for begin < limit && base[begin] == row[begin] {
		begin++
	}
	end := 0
	for end < limit-begin && base[len(base)-1-end] == row[len(row)-1-end] {
		end++
	}
	return strconv.Itoa(begin) + "," + strconv.Itoa(end) + "," + row[begin:len(row)-end]
}

var errPatch = errors.New("a patch of a report does not match its base")

// appendPatched applies a patch, which is not "", to a row of the base and
// appends the result.
func appendPatched(dst, base []byte, patch string) ([]byte, error) {
	first, rest, _ := strings.Cut(patch, ",")
	last, middle, ok := strings.Cut(rest, ",")
	begin, err := strconv.ParseUint(first, 10, 31)
	end, err2 := strconv.ParseUint(last, 10, 31)
	if !ok || err != nil || err2 != nil || begin+end > uint64(len(base)) {
		return dst, errPatch
	}
	dst = append(dst, base[:begin]...)
	dst = append(dst, middle...)
	return append(dst, base[uint64(len(base))-end:]...), nil
}

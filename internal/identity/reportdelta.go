package identity

import (
	"errors"
	"strconv"
	"strings"
)

// A patch holds what distinguishes a row from the row that the user has in the
// base, "" if it has none: how many bytes both begin with, a comma, how many
// both end with, a comma, and the bytes between. Most changes are to one cell.
// A user without a row has the patch "".

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

// appendPatched appends what a patch, which is not "", makes of a row of the
// base.
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

package audit

import (
	"fmt"
	"testing"
)

// A user is found twice however many rows are between the two.
func TestNamesOfManyRows(t *testing.T) {
	for _, c := range []struct{ at, first uint32 }{{2*nameBlockRows + 1, 1}, {nameBlockRows, nameBlockRows - 1}} {
		var n names
		for line := range uint32(3 * nameBlockRows) {
			name := fmt.Sprintf("user-%05d", line)
			if line == c.at {
				name = fmt.Sprintf("USER-%05d", c.first)
			}
			n.add(name, int(line))
		}
		if first, second := n.twice(); first != c.first || second != c.at {
			t.Errorf("lines %d and %d, want %d and %d", first, second, c.first, c.at)
		}
	}
}

//go:build unix

package seal

import (
	"io/fs"
	"testing"
)

// A group may read a key file only if root owns it and lends it to a process of
// another user.
func TestLentKeyFile(t *testing.T) {
	for _, test := range []struct {
		mode   fs.FileMode
		owner  uint32
		reader int
		want   bool
	}{
		{0o440, 0, 1000, true}, {0o640, 0, 1000, true}, {0o400, 0, 1000, true},
		{0o444, 0, 1000, false}, {0o644, 0, 1000, false}, {0o660, 0, 1000, false}, {0o450, 0, 1000, false},
		{0o440, 1000, 1000, false}, {0o440, 1001, 1000, false}, {0o440, 0, 0, false},
	} {
		if got := lent(test.mode, test.owner, test.reader); got != test.want {
			t.Errorf("mode %04o of user %d, read by user %d: %v", test.mode, test.owner, test.reader, got)
		}
	}
}

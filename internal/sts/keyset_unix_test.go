//go:build unix

package sts

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A pipe in place of the file is refused without waiting.
func TestKeySetOfPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "keys.json")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	keys, _ := newTestKeySet(pipe)
	keys.finds(t, "good", 0, 2*time.Second)
}

package main

import (
	"errors"
	"io"
	"testing"
)

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A slow reader of a backup through a pipe does not delay the store, which has
// finished before the first byte is passed on.
func TestBackupIsSpooled(t *testing.T) {
	t.Parallel()
	done, got := false, ""
	to := writerFunc(func(p []byte) (int, error) {
		if !done {
			t.Error("a byte was handed on while the snapshot was open")
		}
		got += string(p)
		return len(p), nil
	})
	err := spool(to, func(w io.Writer) error {
		for range 100_000 {
			if _, err := io.WriteString(w, "row\n"); err != nil {
				return err
			}
		}
		done = true
		return nil
	})
	if err != nil || len(got) != 400_000 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	failed := errors.New("failed")
	if err := spool(to, func(io.Writer) error { return failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
}

package ownfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := Write(path, text("one")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	// After a failed write, the old file remains.
	failed := errors.New("failed")
	if err := Write(path, func(w io.Writer) error { io.WriteString(w, "half"); return failed }); err != failed {
		t.Errorf("%v", err)
	}
	if got := content(t, path); got != "one" {
		t.Errorf("%q", got)
	}
	// A link is followed.
	if err := os.Symlink("file", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "link"), text("two")); err != nil {
		t.Fatal(err)
	}
	if got := content(t, path); got != "two" {
		t.Errorf("%q", got)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"file", "link"}) {
		t.Errorf("%q", got)
	}
	// A mode that is stricter than ours is kept.
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, text("three")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o400 {
		t.Errorf("%v %v", info, err)
	}
}

func TestWriteRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, text("x")); err == nil ||
		!strings.Contains(err.Error(), dir+": it is a directory: name a file in it") {
		t.Errorf("a directory: %v", err)
	}
	if err := Write(filepath.Join(dir, "none", "file"), text("x")); !errors.Is(err, fs.ErrNotExist) ||
		strings.Contains(err.Error(), ".file.") {
		t.Errorf("no directory: %v", err)
	}
	if err := Write("/dev/full", text("x")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full device: %v", err)
	}
	if info, err := os.Stat("/dev/full"); err != nil || info.Mode().IsRegular() {
		t.Errorf("/dev/full is now %v, %v", info.Mode(), err)
	}
}

// A file is acknowledged when it and its name are on disk, in that order. If a
// file is only renamed, a power cut can lose the name.
func TestCommitSyncs(t *testing.T) {
	for name, create := range map[string]func(string) (*Pending, error){"Create": Create,
		"CreateSecret": CreateSecret} {
		p, err := create(filepath.Join(t.TempDir(), "file"))
		if err != nil {
			t.Fatal(err)
		}
		var steps []string
		p.Step = func(step string) error {
			steps = append(steps, step)
			return nil
		}
		if err := p.Commit(); err != nil {
			t.Fatal(err)
		}
		if want := []string{StepSynced, StepRenamed, StepDirSynced}; !slices.Equal(steps, want) {
			t.Errorf("%s: %q", name, steps)
		}
	}
}

// A write of a file with keys leaves no keys next to it, after any error. The
// next write removes the remains of a crash.
func TestCreateSecret(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keys")
	crash := errors.New("crash")
	p, err := CreateSecret(path)
	if err != nil {
		t.Fatal(err)
	}
	p.Step = func(string) error { return crash }
	if err := p.Commit(); err != crash {
		t.Fatal(err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"keys.tmp"}) {
		t.Fatalf("%q", got)
	}
	if err := RemoveLeftover(path); err != nil {
		t.Error(err)
	}
	// The target becomes a directory that cannot be replaced meanwhile.
	if p, err = CreateSecret(path); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(path, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := p.Commit(); err == nil || strings.Contains(err.Error(), ".tmp") {
		t.Errorf("%v", err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"keys"}) {
		t.Errorf("%q", got)
	}
}

func TestOpenFollowsDanglingLink(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	link, target := filepath.Join(dir, "link"), filepath.Join(other, "file")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	f, err := Open(link, os.O_WRONLY|os.O_APPEND)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if info, err := os.Lstat(target); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}

// A process that waits for a lock learns its holder and the time, and stops waiting
// on request.
func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := Lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	ctx, cancel := context.WithCancel(t.Context())
	ctx = WithNotice(ctx, func(text string) {
		said = append(said, text)
		cancel()
	})
	began := time.Now()
	_, err = Lock(ctx, path)
	if !errors.Is(err, context.Canceled) || time.Since(began) > 20*time.Second {
		t.Errorf("%v", err)
	}
	whose := fmt.Sprintf("process %d (ownfile.test) since ", os.Getpid())
	if len(said) != 1 || !strings.Contains(said[0], whose) || !strings.Contains(said[0], "waiting for "+path) {
		t.Errorf("%q", said)
	}
	if err == nil || !strings.Contains(err.Error(), whose) {
		t.Errorf("%v", err)
	}
	unlock()
	if unlock, err = Lock(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	unlock()
	if got := content(t, path); got != "" {
		t.Errorf("a lock that nobody holds says %q", got)
	}
}

// The text that another process wrote into a lock's file cannot control a
// terminal.
func TestHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	for text, want := range map[string]string{
		"": "another process", "x y z": "another process", "12 2026-11-30T10:00:00Z": "another process",
		"12 2999-11-30T10:00:00Z a\x1b[31mb\n": "process 12 (a[31mb) since 2999-11-30T10:00:00Z, for 0s",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := holder(f); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		f.Close()
	}
}

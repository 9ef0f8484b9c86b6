package seal

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"rollcall/internal/ownfile"
)

// A link to the master key file is followed, and stays a link.
func TestRotateThroughLink(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	link, path := filepath.Join(dir, "master.key"), filepath.Join(elsewhere, "key")
	if _, err := CreateMasterKeys(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	m, err := LoadMasterKeys(link)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(m.AddNew(t.Context()), m.DropPrevious(t.Context())); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is now %v, %v", info.Mode(), err)
	}
	if got, err := LoadMasterKeys(path); err != nil || got.CurrentID() != m.CurrentID() {
		t.Errorf("the file was not changed: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("beside the link there is %v, %v", entries, err)
	}
}

// The file with keys that a crash left next to the master key file is removed.
func TestCleanMasterKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	if _, err := CreateMasterKeys(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	left := path + ownfile.TemporarySuffix
	if err := os.WriteFile(left, []byte("a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CleanMasterKeys(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

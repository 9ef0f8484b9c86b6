package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/internal/store"
)

// What a server on another machine says about itself.
func TestConnection(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		is     store.Inspection
		result Result
		text   string
	}{
		{store.Inspection{ReadOnly: true, Spare: 50}, Fault, "the server is a standby"},
		{store.Inspection{Spare: 3}, Warning, "room for 3 more connections only"},
		{store.Inspection{Spare: 50, Encryption: store.Encryption{Needed: true}}, Fault, "is plain text"},
		{store.Inspection{Spare: 50, Encryption: store.Encryption{Needed: true, Version: "TLS 1.3"}}, Warning,
			"nobody verifies the server's certificate"},
		{store.Inspection{Spare: 50, Encryption: store.Encryption{Needed: true, Version: "TLS 1.3", Verified: true}},
			OK, ""},
		{store.Inspection{Spare: -1}, OK, ""}, // unknown
	} {
		x := &examination{Config: Config{Store: store.Config{URL: "postgres://"}}, store: &test.is}
		x.connection("database")
		if Worst(x.findings) != test.result || len(x.findings) > 0 && !strings.Contains(x.findings[0].Found, test.text) {
			t.Errorf("%+v: %+v", test.is, x.findings)
		}
	}
}

func TestKindsOfFileSystem(t *testing.T) {
	t.Parallel()
	for text, s := range map[string]space{
		"the file system is read-only":       {free: 100, size: 100, readOnly: true},
		"SQLite does not work reliably on a": {free: 100, size: 100, network: true},
	} {
		x := &examination{Config: Config{Room: Room{Least: 1}}}
		x.room("disk", s, true)
		if Worst(x.findings) != Fault || !strings.Contains(x.findings[0].Found, text) {
			t.Errorf("%+v", x.findings)
		}
	}
}

// A file of another user than its directory's is a fault, unless root lends it.
func TestOwners(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "master.key")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	above := dir
	if os.Geteuid() != 0 {
		above = "/" // root's
	} else if err := os.Chown(file, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(above)
	if err != nil {
		t.Fatal(err)
	}
	x := &examination{}
	x.private(file, info)
	if len(x.findings) != 1 || x.findings[0].Result != Fault ||
		!strings.Contains(x.findings[0].Found, "and the data directory to root") {
		t.Errorf("%+v", x.findings)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 128 << 20: "134 MB", 1 << 40: "1.1 TB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %s, want %s", n, got, want)
		}
	}
}

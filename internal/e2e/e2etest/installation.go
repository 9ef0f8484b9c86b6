package e2etest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// Operate runs an operator's command to its end.
func Operate(t testing.TB, args ...string) string {
	t.Helper()
	out, err := tryOperate(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tryOperate(t testing.TB, args ...string) (string, error) {
	cmd := exec.Command(Binary, args...)
	cmd.Env = Environment(t)
	out, err := cmd.Output()
	if err != nil {
		said := ""
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			said = string(exit.Stderr)
		}
		return "", fmt.Errorf("rollcall %s: %w: %s", strings.Join(args, " "), err, said)
	}
	return string(out), nil
}

// CreateAccount creates an account in an installation that its flags name.
func CreateAccount(t testing.TB, flags ...string) Account {
	t.Helper()
	text := Operate(t, append([]string{"account", "create", "--output", "json", "--limit", "UsersPerAccount=2000000"},
		flags...)...)
	a, err := DecodeAccount(strings.NewReader(text))
	if err != nil {
		t.Fatalf("read %q: %v", text, err)
	}
	return a
}

func DecodeAccount(r io.Reader) (a Account, err error) {
	err = json.NewDecoder(r).Decode(&a)
	return a, err
}

// EachStore runs a test once for every kind of installation. It passes the
// flags that all nodes on one store have.
func EachStore(t *testing.T, test func(t *testing.T, flags []string)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, []string{"--data", DataDir(t)})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, []string{"--data", DataDir(t), "--store", storetest.Postgres(t).URL})
	})
}

// DataDir returns an unused data directory.
func DataDir(t testing.TB) string { return filepath.Join(t.TempDir(), "data") }

// Rotation returns 'rollcall masterkey rotate', which is not started yet.
func Rotation(t testing.TB, flags []string) *exec.Cmd {
	cmd := exec.Command(Binary, append([]string{"masterkey", "rotate"}, flags...)...)
	cmd.Env = Environment(t)
	return cmd
}

// Database opens the store of an installation, to inspect it directly.
func Database(t *testing.T, flags []string) *store.DB {
	t.Helper()
	cfg := store.Config{Path: flags[1] + "/rollcall.db"}
	if len(flags) > 2 {
		cfg = store.Config{URL: flags[3]}
	}
	return storetest.Open(t, cfg)
}

// Seed adds many users before the service starts.
func Seed(t *testing.T, flags []string, acc Account, n int) {
	t.Helper()
	if err := storetest.Seed(t.Context(), Database(t, flags), acc.AccountID, n); err != nil {
		t.Fatal(err)
	}
}

// CheckFile checks the SQLite file on disk, with its write-ahead log. It checks
// copies of both, so that the check does not repair the errors that it finds.
func CheckFile(t *testing.T, flags []string) {
	t.Helper()
	if slices.Contains(flags, "--store") {
		return
	}
	// A test with a thousand crashes has no room for a thousand copies.
	dir := t.TempDir()
	defer func() { _ = os.RemoveAll(dir) }()
	for _, name := range []string{"rollcall.db", "rollcall.db-wal"} {
		copyFile(t, filepath.Join(flags[1], name), filepath.Join(dir, name))
	}
	db, err := sqlite3.Open("file:" + filepath.Join(dir, "rollcall.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for pragma, want := range map[string][]string{"integrity_check": {"ok"}, "foreign_key_check": nil} {
		stmt, _, err := db.Prepare("PRAGMA " + pragma)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for stmt.Step() {
			got = append(got, stmt.ColumnText(0))
		}
		if err := errors.Join(stmt.Err(), stmt.Close()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", pragma, got, want)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// WaitFor tries for a minute. It tries at least three times: a machine that is busy
// can stand still for longer.
func WaitFor(t *testing.T, what string, try func() error) {
	t.Helper()
	var err error
	end := time.Now().Add(time.Minute)
	for tries := 0; tries < 3 || time.Now().Before(end); tries++ {
		if err = try(); err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%s: %v", what, err)
}

func Must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

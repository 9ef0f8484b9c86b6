package e2etest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall/internal/ownfile"
	"rollcall/internal/requestid/requestidtest"
	"rollcall/internal/subprocess"
	"rollcall/internal/testrun"
)

// Soak is the additional time for which the crash loops run.
var Soak = flag.Duration("soak", 0, "run the crash loops for this long")

// Binary is the path of the program under test.
var Binary string

// Main builds the binary and runs a package's tests. The package's TestMain
// calls it.
func Main(m *testing.M) {
	os.Exit(buildAndRun(testrun.AtOnce(4, m)))
}

func buildAndRun(m testrun.Tests) int {
	dir, err := os.MkdirTemp("", "rollcall-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	// Some tests run the binary as another user.
	if err := os.Chmod(dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	Binary = filepath.Join(dir, "rollcall")
	if err := build(Binary); err != nil {
		fmt.Fprintf(os.Stderr, "build rollcall: %v\n", err)
		return 1
	}
	return m.Run()
}

// build builds the program. It is linked once for all packages that test it. The
// copy in the user's cache stays, and Go knows whether it is up to date.
func build(to string) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	source, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	source, _, _ = strings.Cut(source, "/internal/e2e")
	kept := filepath.Join(cache, "rollcall-test", fmt.Sprintf("%x", sha256.Sum256([]byte(source)))[:16])
	flags, err := BuildFlags(source)
	if err != nil {
		return err
	}
	args := append([]string{"build", "-ldflags=-w"}, flags...)
	if RaceEnabled {
		args, kept = append(args, "-race"), kept+"-race"
	}
	if err := os.MkdirAll(kept, 0o700); err != nil {
		return err
	}
	unlock, err := ownfile.Lock(context.Background(), filepath.Join(kept, "lock"))
	if err != nil {
		return err
	}
	defer unlock()
	from := filepath.Join(kept, "rollcall")
	out, err := exec.Command("go", append(args, "-o", from, "rollcall/cmd/rollcall")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o755)
}

// BuildFlags returns the flags of the go command with which a release is built. The
// argument is the directory of the module.
func BuildFlags(module string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(module, "scripts", "build-flags.txt"))
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "#") }), nil
}

// Environment returns the environment of the binary and the clients: no setting
// and no credential of the person who runs the tests.
func Environment(t testing.TB, extra ...string) []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LC_ALL=C.UTF-8", "TZ=UTC"}, extra...)
}

// Process is the binary, running.
type Process struct {
	*subprocess.Process
	t testing.TB
	// URL and Admin are the addresses that it says it listens on.
	URL, Admin string
}

// Launch starts a command, which is the binary or starts it.
func Launch(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	started, err := subprocess.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	p := &Process{Process: started, t: t}
	t.Cleanup(func() {
		p.Kill()
		said := p.Stderr.String()
		for line := range strings.Lines(said) {
			if message := requestidtest.Lacks([]byte(line)); message != "" {
				t.Errorf("the log has a line without the id of its request: %s", message)
			}
		}
		if strings.Contains(said, "DATA RACE") || strings.Contains(said, "goroutine 1 [") ||
			strings.Contains(said, "panic") || strings.Contains(said, "the trail is not whole") {
			t.Errorf("the process said:\n%s", said)
		} else if t.Failed() {
			t.Logf("the process said:\n%s", Tail(said, 20000))
		}
	})
	return p
}

func Tail(s string, n int) string {
	if len(s) > n {
		s = "…" + s[len(s)-n:]
	}
	return s
}

// Serve starts the service and waits until it listens. One caller may send as many
// calls as it can, because in most tests root sends them all.
func Serve(t testing.TB, args ...string) *Process {
	t.Helper()
	return ServeWithLimits(t, append([]string{"--rate-limit", "0", "--account-rate-limit", "0"}, args...)...)
}

// ServeWithLimits starts the service with the limits that it has by default.
func ServeWithLimits(t testing.TB, args ...string) *Process {
	t.Helper()
	args = append([]string{"serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--log-format", "json"},
		args...)
	cmd := exec.Command(Binary, args...)
	cmd.Env = Environment(t)
	p := Launch(t, cmd)
	p.WaitListening()
	return p
}

// StartTimeout is far longer than a start takes.
const StartTimeout = 2 * time.Minute

// WaitListening reads from the log the addresses that the service listens on.
func (p *Process) WaitListening() {
	p.t.Helper()
	for end := time.Now().Add(StartTimeout); time.Now().Before(end); {
		for line := range strings.Lines(p.Stderr.String()) {
			var said struct{ Msg, URL, Admin string }
			if json.Unmarshal([]byte(line), &said) == nil && said.Msg == "listening" {
				p.URL, p.Admin = said.URL, said.Admin
				return
			}
		}
		select {
		case <-p.Ended:
			p.t.Fatalf("rollcall ended instead of listening: %v\n%s", p.Err, p.Stderr)
		case <-time.After(2 * time.Millisecond):
		}
	}
	p.t.Fatalf("rollcall does not listen after %v:\n%s", StartTimeout, p.Stderr)
}

// Dev starts the emulator with its own credentials.
func Dev(t testing.TB, args ...string) (*Process, Account) {
	t.Helper()
	a := Account{AccountID: "123456789012", AccessKeyID: "AKIAIOSFODNN7EXAMPLE",
		SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	ready := filepath.Join(t.TempDir(), "url")
	cmd := exec.Command(Binary,
		append([]string{"dev", "--listen", "127.0.0.1:0", "--account", a.AccountID, "--ready-file", ready}, args...)...)
	cmd.Env = Environment(t, "AWS_ACCESS_KEY_ID="+a.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+a.SecretAccessKey)
	p := Launch(t, cmd)
	for end := time.Now().Add(StartTimeout); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if text, err := os.ReadFile(ready); err == nil {
			p.URL = strings.TrimSpace(string(text))
			return p, a
		}
	}
	t.Fatalf("the emulator is not ready after %v:\n%s", StartTimeout, p.Stderr)
	return nil, a
}

// Signal sends a signal.
func (p *Process) Signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.Process.Signal(s); err != nil {
		p.t.Error(err)
	}
}

// Stop ends the process like an operator. It must exit with code 0.
func (p *Process) Stop() {
	p.t.Helper()
	p.Signal(syscall.SIGTERM)
	p.WaitEnd(time.Minute)
	if p.Err != nil {
		p.t.Errorf("rollcall ended by SIGTERM: %v, want exit code 0\n%s", p.Err, p.Stderr)
	}
}

func (p *Process) WaitEnd(patience time.Duration) {
	p.t.Helper()
	select {
	case <-p.Ended:
	case <-time.After(patience):
		p.t.Fatalf("rollcall has not ended after %v:\n%s", patience, p.Stderr)
	}
}

// dump makes the process print the stacks of all its goroutines, and end.
func (p *Process) dump() {
	p.Signal(syscall.SIGQUIT)
	p.WaitEnd(time.Minute)
}

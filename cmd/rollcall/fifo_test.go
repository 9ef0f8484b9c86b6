//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall/internal/subprocess"
)

// TestInterruptedPipes checks that a command that opens a named pipe, to which nobody
// writes, ends at the first signal.
func TestInterruptedPipes(t *testing.T) {
	t.Parallel()
	saved, err := filepath.Abs("../../report/testdata/users.csv")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"report PIPE", "audit PIPE", "plan PIPE", "diff PIPE SAVED", "diff SAVED PIPE",
		"audit SAVED --config PIPE", "audit SAVED --exceptions PIPE",
		"report --accounts PIPE --role reader --into DIR/reports",
		"review start SAVED --into DIR/q --owners PIPE", "controls test PIPE", "trail verify --unsigned PIPE",
		"audit import-mutelist PIPE --owner ana --ticket T-1 --expires 2099-01-31",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := syscall.Mkfifo(dir+"/pipe", 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, interrupt := context.WithCancel(t.Context())
			var errs bytes.Buffer
			p := &process{
				stdin: strings.NewReader(""), stdout: io.Discard, stderr: &errs, env: func(string) string { return "" },
			}
			line = strings.NewReplacer("PIPE", dir+"/pipe", "SAVED", saved, "DIR", dir).Replace(line)
			time.AfterFunc(100*time.Millisecond, interrupt)
			// Whatever still waits for the pipe ends with the test.
			t.Cleanup(func() {
				if f, err := os.OpenFile(dir+"/pipe", os.O_RDWR|syscall.O_NONBLOCK, 0); err == nil {
					f.Close()
				}
			})
			code := run(ctx, p, strings.Fields(line))
			if code != exitInterrupted || !strings.HasSuffix(errs.String(), "rollcall: interrupted\n") {
				t.Errorf("it ended with %d: %s", code, &errs)
			}
		})
	}
	t.Run("by a signal", func(t *testing.T) {
		t.Parallel()
		for sent, want := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
			dir := t.TempDir()
			for _, name := range []string{"/first", "/second"} {
				if err := syscall.Mkfifo(dir+name, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			c := start(t, "diff", dir+"/first", dir+"/second")
			feed(t, c, dir+"/first", saved)
			time.Sleep(200 * time.Millisecond) // usually it waits for the second pipe then
			if err := c.Signal(sent); err != nil {
				t.Fatal(err)
			}
			var exit *exec.ExitError
			if err := c.Wait(); !errors.As(err, &exit) || exit.ExitCode() != want {
				t.Errorf("%v: %v, want %d: %s", sent, err, want, c.Stderr)
			}
		}
	})
}

// feed waits until a process opens a pipe, and sends it a file.
func feed(t *testing.T, p *subprocess.Process, pipe, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		to, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if errors.Is(err, syscall.ENXIO) { // nobody reads it
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := to.Write(text); err != nil {
			t.Fatal(err)
		}
		if err := to.Close(); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("nobody opens %s: %s", pipe, p.Stderr)
}

//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
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
			pipe := fmt.Sprintf("%s/%d", t.TempDir(), want)
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			c := start(t, "audit", pipe)
			time.Sleep(500 * time.Millisecond)
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

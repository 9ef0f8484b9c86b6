package subprocess

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestStop(t *testing.T) {
	for _, c := range []struct {
		script   string
		patience time.Duration
		signal   syscall.Signal
	}{
		{"echo here >&2; exec sleep 60", time.Minute, syscall.SIGTERM},
		{"trap '' TERM; echo here >&2; while :; do sleep 0.1; done", time.Millisecond, syscall.SIGKILL},
	} {
		p, err := Start(exec.Command("sh", "-c", c.script))
		if err != nil {
			t.Fatal(err)
		}
		for !strings.Contains(p.Stderr.String(), "here") {
			time.Sleep(time.Millisecond)
		}
		p.Stop(c.patience)
		ended := p.Cmd.ProcessState.Sys().(syscall.WaitStatus)
		if p.Wait() == nil || !ended.Signaled() || ended.Signal() != c.signal {
			t.Errorf("%q ended with %v", c.script, p.Err)
		}
		if err := p.Signal(syscall.SIGTERM); err != nil {
			t.Errorf("a signal after the end: %v", err)
		}
	}
}

func TestStartOfNothing(t *testing.T) {
	if _, err := Start(exec.Command("/nowhere/at/all")); err == nil {
		t.Error("a program that does not exist was started")
	}
}

func TestTake(t *testing.T) {
	var b Buffer
	for _, text := range []string{"a", "b"} {
		if _, err := b.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if all, rest := b.Take(), b.String(); all != "ab" || rest != "" {
		t.Errorf("%q, then %q", all, rest)
	}
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"rollcall/internal/storetest"
)

// These are the verdicts. Any other verdict is an error of the list.
const (
	killed   = "killed"
	survived = "SURVIVED"
)

// testTimeout ends a test that hangs without its defence. It counts as failed.
const testTimeout = 5 * time.Minute

// runner runs tests with and without their defence.
type runner struct {
	dir string
	// sound reports whether a test command passes with the unchanged code.
	sound map[string]error
}

// run also returns the test's message about the missing defence, so that people
// can see whether it failed for the right reason.
func (r runner) run(ctx context.Context, m mutant) (verdict, said string) {
	verdict, said, err := r.verdict(ctx, m)
	if err != nil {
		verdict = "ERROR: " + err.Error()
	}
	return verdict, said
}

func (r runner) verdict(ctx context.Context, m mutant) (verdict, said string, err error) {
	if m.postgres && os.Getenv(storetest.Variable) == "" {
		return "", "", fmt.Errorf("%s is not set, run 'make mutants'", storetest.Variable)
	}
	if _, known := r.sound[m.test]; !known {
		r.sound[m.test] = sound(goTest(ctx, m.test))
	}
	if err := r.sound[m.test]; err != nil {
		return "", "", err
	}
	overlay, err := r.overlay(m)
	if err != nil {
		return "", "", err
	}
	out, err := goTest(ctx, m.test, "-overlay="+overlay)
	switch {
	case ctx.Err() != nil:
		return "", "", ctx.Err()
	case err == nil:
		return survived, "", nil
	case broken.MatchString(out):
		return "", "", fmt.Errorf("does not compile:\n%s", tail(out))
	}
	return killed, complaint(out), nil
}

// complaint matches the start of the first line in which a test reports an
// error.
func complaint(out string) string {
	said := strings.TrimSpace(complained.FindString(out))
	return said[:min(len(said), 200)]
}

var complained = regexp.MustCompile(`(?m)^\s*\w+_test\.go:\d+: .*|^panic: .*|^.*script\S*\.txt\S*:\d+: .*`)

// broken matches the go command's message about code that it cannot compile.
var broken = regexp.MustCompile(`\[(build|setup) failed\]`)

// sound reports whether a test ran and passed.
func sound(out string, err error) error {
	switch {
	case err != nil:
		return fmt.Errorf("is red with its defence: %w\n%s", err, tail(out))
	case strings.Contains(out, "no tests to run") || strings.Contains(out, "[no test files]"):
		return errors.New("no such test")
	}
	return nil
}

// overlay writes the changed file next to the code, and the description that
// makes the go command read it instead of the real one.
func (r runner) overlay(m mutant) (string, error) {
	text, err := m.mutate()
	if err != nil {
		return "", err
	}
	real, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	changed := filepath.Join(r.dir, m.name+filepath.Ext(m.file))
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {real: changed}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(r.dir, m.name+".json")
	return overlay, os.WriteFile(overlay, replace, 0o600)
}

// goTest runs a test command in the form of a shell. The environment passes the
// flags to every go command below it. With the unchanged code the go command
// may use its cache.
func goTest(ctx context.Context, command string, flags ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "bash", "-c", command)
	flags = append(flags, "-vet=off", "-timeout="+testTimeout.String())
	cmd.Env = append(os.Environ(), "GOFLAGS="+strings.Join(append(strings.Fields(os.Getenv("GOFLAGS")), flags...), " "))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func tail(out string) string {
	const most = 2000
	return strings.TrimSpace(out[max(0, len(out)-most):])
}

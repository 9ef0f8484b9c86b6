package trail

import (
	"bytes"
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

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	tr := mustOpen(t, path)
	mustWrite(t, tr, Record{EventName: "A"})
	mustWrite(t, mustOpen(t, path), Record{EventName: "B"})
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	events := mustEvents(t, mustRead(t, path), 0)
	if got := names(events); got != "A B" {
		t.Errorf("events %s", got)
	}
	if a, b := events[0].EventID, events[1].EventID; len(a) != 36 || a == b {
		t.Errorf("event ids %q, %q", a, b)
	}

	if _, err := Open(""); err == nil {
		t.Error("an empty destination opens")
	}
	if _, err := Open(filepath.Join(path, "below")); err == nil {
		t.Error("a file below a file opens")
	}
	off := mustOpen(t, "off")
	mustWrite(t, off, Record{})
	if err := off.Probe(); err != nil || !off.Healthy() {
		t.Error("off is not healthy")
	}
	if _, err := os.Stat("off"); err == nil {
		t.Error("off made a file")
	}
}

func TestOpenAfterBrokenLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	if err := os.WriteFile(path, []byte("{\"eventName\":\"A\"}\n{\"eventNa"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, mustOpen(t, path), Record{EventName: "B"})
	if got := names(mustEvents(t, mustRead(t, path), 1)); got != "A B" {
		t.Errorf("events %s", got)
	}
}

func TestFullDisk(t *testing.T) {
	tr := mustOpen(t, "/dev/full")
	tr.retryEvery = 0
	if err := tr.Write(&Record{}); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Write: %v", err)
	}
	if err := tr.Probe(); !errors.Is(err, syscall.ENOSPC) || tr.Healthy() {
		t.Errorf("Probe: %v", err)
	}
}

func TestClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	tr := mustOpen(t, path)
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	if err := tr.Write(&Record{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Write after Close: %v", err)
	}
}

func TestClosedFileIsOpenedAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	tr := mustOpen(t, path)
	tr.retryEvery = 0
	_ = tr.sink.(*os.File).Close()
	if err := tr.Write(&Record{EventName: "A"}); !errors.Is(err, os.ErrClosed) {
		t.Fatalf("Write: %v", err)
	}
	if err := tr.Probe(); err != nil {
		t.Fatal(err)
	}
	if got := names(mustEvents(t, mustRead(t, path), 0)); got != "TrailResumed A" {
		t.Errorf("events %s", got)
	}
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	tr := mustOpen(t, path)
	mustWrite(t, tr, Record{EventName: "A"})
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, tr, Record{EventName: "B"}) // still goes into the moved file
	if err := tr.Reopen(); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, tr, Record{EventName: "C"})
	moved, now := names(mustEvents(t, mustRead(t, path+".1"), 0)), names(mustEvents(t, mustRead(t, path), 0))
	if moved != "A B TrailCheckpoint" || now != "C" {
		t.Errorf("%s, then %s", moved, now)
	}
	if err := New(io.Discard).Reopen(); err != nil {
		t.Errorf("without a file: %v", err)
	}
}

func TestReopenFailureKeepsTheFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	tr := mustOpen(t, filepath.Join(dir, "trail.jsonl"))
	if err := os.Rename(dir, dir+"2"); err != nil {
		t.Fatal(err)
	}
	if err := tr.Reopen(); err == nil {
		t.Error("reopened in a directory that is gone")
	}
	mustWrite(t, tr, Record{EventName: "A"})
	if got := names(mustEvents(t, mustRead(t, filepath.Join(dir+"2", "trail.jsonl")), 0)); got != "A" {
		t.Errorf("events %s", got)
	}
}

// The trail notices within a second that its file was deleted or moved away.
func TestDeletedFileIsNoticed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "trail.jsonl")
	tr := mustOpen(t, path)
	mustWrite(t, tr, Record{EventName: "A"})
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	tr.checked = time.Now().Add(-recheckEvery)
	mustWrite(t, tr, Record{EventName: "B"})
	if got := names(mustEvents(t, mustRead(t, path), 0)); got != "B" {
		t.Errorf("events %s", got)
	}
	if err := os.Rename(dir, dir+"-gone"); err != nil {
		t.Fatal(err)
	}
	tr.checked = time.Now().Add(-recheckEvery)
	if err := tr.Write(&Record{EventName: "C"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Write with its directory gone: %v", err)
	}
	if err := os.Rename(dir+"-gone", dir); err != nil {
		t.Fatal(err)
	}
	tr.retryEvery = 0
	if err := tr.Probe(); err != nil {
		t.Fatal(err)
	}
	if got := names(mustEvents(t, mustRead(t, path), 0)); got != "B TrailResumed C" {
		t.Errorf("events %s", got)
	}
}

// A collector that reads a named pipe is killed and starts again.
func TestNamedPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, syscall.ENXIO) {
		t.Errorf("no reader: %v", err)
	}
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	tr := mustOpen(t, path)
	tr.Sync = true // has no effect on a pipe
	tr.retryEvery = 0
	mustWrite(t, tr, Record{EventName: "A"})
	_ = reader.Close()
	if err := tr.Write(&Record{EventName: "B"}); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("reader gone: %v", err)
	}
	if err := tr.Probe(); err == nil {
		t.Error("reader gone, the trail claims to be well")
	}
	if reader, err = os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0); err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := tr.Probe(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	n, err := reader.Read(buf)
	if got := names(mustEvents(t, string(buf[:n]), 0)); got != "A TrailResumed B" { // A was still in the pipe
		t.Errorf("events %s, %v", got, err)
	}
}

// A closed pipe on standard output is an error, not the end of the process.
func TestStandardOutput(t *testing.T) {
	if os.Getenv("TRAIL_TEST_STDOUT") != "" {
		tr, err := Open("-")
		if err == nil {
			err = tr.Write(&Record{EventName: "A"})
		}
		_, _ = io.ReadAll(os.Stdin) // until the reader has gone
		fmt.Fprintln(os.Stderr, err, tr.Write(&Record{EventName: "B"}), tr.Healthy())
		os.Exit(0)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestStandardOutput$")
	cmd.Env = append(os.Environ(), "TRAIL_TEST_STDOUT=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := stdout.Read(buf)
	if got := names(mustEvents(t, string(buf[:n]), 0)); got != "A" {
		t.Errorf("events %s, %v", got, err)
	}
	_ = stdout.Close()
	_ = stdin.Close()
	err = cmd.Wait()
	if got := stderr.String(); err != nil || !strings.HasPrefix(got, "<nil> ") ||
		!strings.Contains(got, "broken pipe") || !strings.Contains(got, "false") {
		t.Errorf("%v: %s", err, got)
	}
}

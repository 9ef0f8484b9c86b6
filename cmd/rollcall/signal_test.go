package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall/internal/subprocess"
)

// start runs the binary in a separate process.
func start(t *testing.T, args ...string) *subprocess.Process {
	t.Helper()
	p, err := subprocess.Start(exec.Command("rollcall", args...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

// halfACall sends a request without its body, and returns once the service
// waits for the body.
func halfACall(t *testing.T, url string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	// The service says Continue when it begins to read the body.
	io.WriteString(c,
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n"+
			"Expect: 100-continue\r\n\r\n")
	answers := bufio.NewReader(c)
	line, err := answers.ReadString('\n')
	if err != nil || !strings.Contains(line, "100") {
		t.Fatalf("%q, %v", line, err)
	}
	answers.ReadString('\n')
	return c, answers
}

func TestSignals(t *testing.T) {
	t.Parallel()
	t.Run("the first lets calls end", func(t *testing.T) {
		dir := t.TempDir()
		c := start(t, "serve", "--data", dir+"/data", "--listen", "127.0.0.1:0", "--admin-listen", "off",
			"--ready-file", dir+"/url")
		call, answers := halfACall(t, readyURL(t, filepath.Join(dir, "url")))
		if err := c.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
		io.WriteString(call, "a=b")
		answer, err := http.ReadResponse(answers, nil)
		if err != nil || answer.StatusCode != http.StatusForbidden {
			t.Errorf("answer %v, %v", answer, err)
		}
		if err := c.Wait(); err != nil {
			t.Errorf("%v: %s", err, c.Stderr)
		}
	})
	t.Run("the second ends it at once", func(t *testing.T) {
		dir := t.TempDir()
		c := start(t, "serve", "--data", dir+"/data", "--listen", "127.0.0.1:0", "--admin-listen", "off",
			"--ready-file", dir+"/url")
		halfACall(t, readyURL(t, filepath.Join(dir, "url")))
		// The first signal may not have been received when the second is sent,
		// and two signals at the same time count as one.
		for sent := 0; ; sent++ {
			_ = c.Signal(syscall.SIGTERM)
			select {
			case <-c.Ended:
				var exit *exec.ExitError
				if !errors.As(c.Err, &exit) || !exit.Sys().(syscall.WaitStatus).Signaled() || sent == 0 {
					t.Errorf("ended with %v after %d more signals", c.Err, sent)
				}
				return
			case <-time.After(200 * time.Millisecond):
			}
			if sent > 600 { // two minutes
				t.Fatal("it continues")
			}
		}
	})
	t.Run("core dumps are off", func(t *testing.T) {
		dir := t.TempDir()
		c := start(t, "serve", "--data", dir+"/data", "--listen", "127.0.0.1:0", "--admin-listen", "off",
			"--ready-file", dir+"/url")
		readyURL(t, filepath.Join(dir, "url"))
		limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", c.Cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(limits)) {
			if strings.HasPrefix(line, "Max core file size") && strings.Join(strings.Fields(line)[4:6], " ") != "0 0" {
				t.Error(line)
			}
		}
	})
}

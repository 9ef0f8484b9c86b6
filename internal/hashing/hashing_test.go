package hashing

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rollcall/internal/seal"
)

func TestMain(m *testing.M) {
	Main()
	inherited = openFiles("/proc/self/")
	os.Exit(m.Run())
}

// inherited are the files that were open when the tests began. A child inherits
// them too.
var inherited []string

// openFiles returns what a process has open.
func openFiles(proc string) (files []string) {
	all, _ := filepath.Glob(proc + "fd/*")
	for _, name := range all {
		if to, err := os.Readlink(name); err == nil {
			files = append(files, to)
		}
	}
	return files
}

// cheap and slow are jobs of some microseconds and of some seconds.
var (
	cheap = seal.Derivation{Password: []byte("canary-of-a-password"), Salt: []byte("saltsalt"), Memory: 64, Time: 1,
		Threads: 1, Size: 32}
	slow = seal.Derivation{Password: []byte("canary-of-a-password"), Salt: []byte("saltsalt"), Memory: 19 << 10,
		Time: 30, Threads: 1, Size: 32}
)

// open starts a Process whose child has time on a busy machine, too. logged is its
// log.
func open(t *testing.T) (p *Process, logged *bytes.Buffer) {
	t.Helper()
	logged = &bytes.Buffer{}
	p = New("", slog.New(slog.NewTextHandler(logged, nil)))
	p.stuck = 5 * time.Minute
	t.Cleanup(p.Close)
	return p, logged
}

// child returns the process that hashes now.
func (p *Process) child() *child {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current
}

// busy waits until the child of a Process has a job, other than one.
func (p *Process) busy(t *testing.T, other *child) *child {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		c := p.child()
		if c == nil || c == other {
			continue
		}
		c.mu.Lock()
		n := len(c.waiting)
		c.mu.Unlock()
		if n > 0 {
			return c
		}
	}
	t.Fatal("no child has a job")
	return nil
}

func TestHashesAreThoseOfThisProcess(t *testing.T) {
	t.Parallel()
	p, logged := open(t)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			job := cheap
			job.Password = fmt.Appendf(nil, "password %d", i)
			if got := p.Derive(job); !bytes.Equal(got, job.Key()) {
				t.Errorf("%d: %x", i, got)
			}
		})
	}
	wg.Wait()
	c := p.child()
	if c == nil || c.asked != 20 || logged.Len() > 0 {
		t.Errorf("child %+v, log %q", c, logged)
	}
}

// If a child dies in the middle, or cannot be started, every password still
// gets its hash.
func TestChildDies(t *testing.T) {
	t.Parallel()
	p, logged := open(t)
	job := slow
	job.Time = 10
	got := make(chan []byte, 1)
	go func() { got <- p.Derive(job) }()
	first := p.busy(t, nil)
	if err := first.process.Kill(); err != nil {
		t.Fatal(err)
	}
	second := p.busy(t, first)
	if err := second.process.Kill(); err != nil { // then this process hashes
		t.Fatal(err)
	}
	if key := <-got; !bytes.Equal(key, job.Key()) {
		t.Errorf("%x", key)
	}
	if !bytes.Equal(p.Derive(cheap), cheap.Key()) || p.child() == second {
		t.Error("no third child")
	}
	if strings.Count(logged.String(), "another one is started") != 2 {
		t.Errorf("log %s", logged)
	}

	nowhere, logged := open(t)
	nowhere.program = filepath.Join(t.TempDir(), "nothing")
	if !bytes.Equal(nowhere.Derive(cheap), cheap.Key()) || !strings.Contains(logged.String(), "no process for passwords") {
		t.Errorf("without a program: %s", logged)
	}
	none, _ := open(t)
	none.program = "/bin/true" // ends at once
	if !bytes.Equal(none.Derive(cheap), cheap.Key()) {
		t.Error("with another program")
	}
}

// A child that does not answer is killed, and this process hashes immediately: the
// next child would not get more time. The caller's request must not time out.
func TestChildIsStuck(t *testing.T) {
	t.Parallel()
	if stuck > 3*time.Second {
		t.Errorf("a request ends after 10 s, and a hash waits for %v", stuck)
	}
	p, _ := open(t)
	p.Derive(cheap)
	first := p.child()
	p.stuck = 100 * time.Millisecond
	if err := first.process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(p.Derive(cheap), cheap.Key()) {
		t.Error("another hash")
	}
	<-first.ended
	if p.child() != nil {
		t.Error("it waits for a second child")
	}

	other, _ := open(t)
	other.Derive(cheap)
	if err := other.child().process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	other.Close() // comes to an end
}

// The child ends when nobody needs it, and with its parent's end of the pipe.
func TestChildEnds(t *testing.T) {
	t.Parallel()
	p, logged := open(t)
	p.unused = 50 * time.Millisecond
	p.Derive(cheap)
	first := p.child()
	if first != nil {
		<-first.ended
	}
	if !bytes.Equal(p.Derive(cheap), cheap.Key()) || logged.Len() > 0 {
		t.Errorf("after that: %s", logged)
	}

	p, _ = open(t)
	go p.Derive(slow)
	busy := p.busy(t, nil)
	busy.in.Close() // as the kernel does when the parent dies
	<-busy.ended
	if len(busy.waiting) == 0 {
		t.Error("it continued hashing")
	}
}

// A signal that ends the service and reaches all processes of its group does
// not end the child before the service.
func TestChildOutlivesSignals(t *testing.T) {
	t.Parallel()
	p, logged := open(t)
	p.Derive(cheap)
	c := p.child()
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		if err := c.process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	p.Derive(cheap)
	if p.child() != c {
		t.Errorf("it ended: %s", logged)
	}
}

// The arguments and the environment of the child reveal nothing, it has no open
// files, and each of its threads has the lowest priority.
func TestChildIsPlain(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("/proc")
	}
	t.Setenv("ROLLCALL_MASTER_KEY", "canary-of-a-key")
	p, _ := open(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { p.Derive(cheap) })
	}
	wg.Wait()
	proc := fmt.Sprintf("/proc/%d/", p.child().process.Pid)
	for _, name := range []string{"cmdline", "environ"} {
		text, err := os.ReadFile(proc + name)
		if err != nil || bytes.Contains(text, []byte("canary")) {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	files := openFiles(proc)
	if len(files) < 3 {
		t.Errorf("open: %s", files)
	}
	for _, name := range files {
		if !isPlain(name) && !slices.Contains(inherited, name) {
			t.Errorf("open: %s", name)
		}
	}
	threads, err := filepath.Glob(proc + "task/*/stat")
	if err != nil || len(threads) == 0 {
		t.Fatalf("%v, %v", threads, err)
	}
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		if fields := strings.Fields(rest); fields[16] != fmt.Sprint(lowest) {
			t.Errorf("%s has priority %s", thread, fields[16])
		}
	}
}

// isPlain says whether an open file is a pipe, or one that Go's runtime opens.
func isPlain(to string) bool {
	for _, prefix := range []string{"pipe:", "anon_inode:", "/sys/fs/cgroup/", os.DevNull} {
		if strings.HasPrefix(to, prefix) {
			return true
		}
	}
	return false
}

// Package hashing computes the hashes of passwords in a separate process, a
// child of the service that runs the same program. Its threads have the lowest
// priority, so a flood of sign-ins only uses spare time of the processors, and
// does not load Go's scheduler in the service.
//
// The first password starts the child. Passwords reach it through a pipe, and
// never through arguments, environment or files. If it dies, another one is
// started and repeats the unfinished hashes. If it gets no time on a busy
// machine, the service hashes by itself. It ends when it has nothing to do for a
// minute, and when its parent ends for any reason.
package hashing

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"rollcall/internal/seal"
)

// argument is the only argument of the child. No command has this name.
const argument = "hash-passwords-of-parent"

// lowest is the lowest priority for setpriority.
const lowest = 19

// Limits of the child.
const (
	unused   = time.Minute     // idle time after which it ends
	stuck    = 2 * time.Second // time after which it is killed if an answer is missing
	patience = time.Second     // time after which it is killed if it was asked to end
)

// Process computes hashes in a child process. It is safe for concurrent use.
type Process struct {
	program string
	workers int
	log     *slog.Logger
	unused  time.Duration
	stuck   time.Duration

	mu      sync.Mutex
	current *child // nil for none
}

// New returns a Process whose child runs a program that calls Main; "" means
// this program.
func New(program string, log *slog.Logger) *Process {
	return &Process{program: program, workers: max(1, runtime.GOMAXPROCS(0)/2), log: log, unused: unused, stuck: stuck}
}

// Workers returns the number of passwords to hash at the same time: half of the
// number of processors.
func (p *Process) Workers() int { return p.workers }

// Main makes this process the child if it was started as one, and then does not
// return. Programs call it first.
func Main() {
	if len(os.Args) != 2 || os.Args[1] != argument {
		return
	}
	// A signal that ends the service reaches its process group, but the service
	// may still need hashes.
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	stepBack()
	serve(os.Stdin, os.Stdout)
	os.Exit(0)
}

// question is one password to hash, and answer its hash.
type question struct {
	ID  uint64
	Job seal.Derivation
}

type answer struct {
	ID  uint64
	Key []byte
}

// serve answers questions until there are no more. Unfinished hashes then have
// no answer.
func serve(r io.Reader, w io.Writer) {
	in, out := json.NewDecoder(r), json.NewEncoder(w)
	var writing sync.Mutex
	for {
		var q question
		if in.Decode(&q) != nil {
			return
		}
		go func() {
			a := answer{q.ID, q.Job.Key()}
			writing.Lock()
			defer writing.Unlock()
			if out.Encode(a) != nil {
				os.Exit(0) // the parent has gone
			}
		}()
	}
}

// Derive hashes one password. If no child can do it, or none does it in time, it
// is hashed in this process: on a busy machine a child may get no time at all.
// Callers limit how many run at the same time.
func (p *Process) Derive(job seal.Derivation) []byte {
	began := time.Now()
	for tries := 0; tries < 2 && time.Since(began) < p.stuck; tries++ {
		c, err := p.take()
		if err != nil {
			p.log.Warn("no process for passwords", "error", err)
			continue
		}
		key, ok := c.ask(job, p.stuck)
		p.release(c, ok)
		if ok {
			return key
		}
	}
	return job.Key()
}

// Close ends the child.
func (p *Process) Close() {
	p.mu.Lock()
	c := p.current
	p.current = nil
	p.mu.Unlock()
	if c != nil {
		c.end()
	}
}

// take returns the child, and starts one if there is none.
func (p *Process) take() (*child, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == nil {
		c, err := p.start()
		if err != nil {
			return nil, err
		}
		c.idle = time.AfterFunc(p.unused, func() { p.endUnused(c) })
		p.current = c
	}
	p.current.users++
	p.current.idle.Stop()
	return p.current, nil
}

// release returns the child. A dead one is not used again.
func (p *Process) release(c *child, alive bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.users--; c.users == 0 {
		c.idle.Reset(p.unused)
	}
	if !alive && p.current == c {
		p.log.Warn("the process for passwords ended: another one is started")
		p.current = nil
	}
}

func (p *Process) endUnused(c *child) {
	p.mu.Lock()
	unused := c.users == 0 && p.current == c
	if unused {
		p.current = nil
	}
	p.mu.Unlock()
	if unused {
		c.end()
	}
}

// start starts a child.
func (p *Process) start() (*child, error) {
	cmd := &exec.Cmd{
		Path: cmp.Or(p.program, self()), Args: []string{cmp.Or(p.program, os.Args[0]), argument},
		// Pass nothing of the parent's environment, which may hold secrets.
		Env: p.environment(),
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{process: cmd.Process, in: in, questions: json.NewEncoder(in), waiting: map[uint64]chan<- []byte{},
		ended: make(chan struct{})}
	go func() {
		c.read(out)
		close(c.ended)
		in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // how it ended does not matter
	}()
	return c, nil
}

// environment tells Go's runtime in the child which processors and how much
// memory it may use: 19 MiB for each hash, and for some finished ones.
func (p *Process) environment() []string {
	return []string{"GOMAXPROCS=" + strconv.Itoa(p.workers), fmt.Sprintf("GOMEMLIMIT=%dMiB", 24*(p.workers+1))}
}

// child is a running process.
type child struct {
	process *os.Process
	in      io.Closer
	ended   chan struct{}

	users int         // guarded by the Process
	idle  *time.Timer // ends the child

	mu        sync.Mutex // guards the following fields
	questions *json.Encoder
	asked     uint64
	waiting   map[uint64]chan<- []byte
}

// ask requests a hash of one password. ok is false if the child has died.
func (c *child) ask(job seal.Derivation, stuck time.Duration) (key []byte, ok bool) {
	late := time.AfterFunc(stuck, func() { _ = c.process.Kill() })
	defer late.Stop()
	answered := make(chan []byte, 1)
	c.mu.Lock()
	c.asked++
	id := c.asked
	c.waiting[id] = answered
	err := c.questions.Encode(question{id, job})
	c.mu.Unlock()
	if err != nil {
		return nil, false
	}
	select {
	case key = <-answered:
		return key, true
	case <-c.ended:
		return nil, false
	}
}

// read distributes answers until there are no more.
func (c *child) read(r io.Reader) {
	in := json.NewDecoder(r)
	for {
		var a answer
		if in.Decode(&a) != nil {
			return
		}
		c.mu.Lock()
		answered, ok := c.waiting[a.ID]
		delete(c.waiting, a.ID)
		c.mu.Unlock()
		if ok {
			answered <- a.Key
		}
	}
}

// end asks the child to end, and waits. If it does not end it is killed.
func (c *child) end() {
	c.in.Close()
	late := time.AfterFunc(patience, func() { _ = c.process.Kill() })
	defer late.Stop()
	<-c.ended
}

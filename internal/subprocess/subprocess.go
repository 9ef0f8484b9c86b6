// Package subprocess starts servers as processes of their own, for tests and for
// measurements.
package subprocess

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Process is a program that Start started.
type Process struct {
	Cmd    *exec.Cmd
	Stderr *Buffer       // receives the program's standard error
	Ended  chan struct{} // is closed when the program has ended
	Err    error         // says how it ended, once Ended is closed
}

// Start starts a command and waits for its end in the background. The program
// does not outlive this one, unless the command asks for another signal than
// SIGKILL at the death of its parent.
func Start(cmd *exec.Cmd) (*Process, error) {
	p := &Process{Cmd: cmd, Stderr: &Buffer{}, Ended: make(chan struct{})}
	cmd.Stderr = p.Stderr
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	if cmd.SysProcAttr.Pdeathsig == 0 {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.Err = cmd.Wait()
		close(p.Ended)
	}()
	return p, nil
}

// Signal sends a signal. It returns nil if the program has ended.
func (p *Process) Signal(s syscall.Signal) error {
	if err := p.Cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("send %v: %w", s, err)
	}
	return nil
}

// Wait waits until the program has ended, and says how it did.
func (p *Process) Wait() error {
	<-p.Ended
	return p.Err
}

// Kill ends the program as a crash does.
func (p *Process) Kill() {
	_ = p.Signal(syscall.SIGKILL)
	<-p.Ended
}

// Stop ends the program as an operator does, by SIGTERM, or after some patience
// by SIGKILL.
func (p *Process) Stop(patience time.Duration) {
	_ = p.Signal(syscall.SIGTERM)
	select {
	case <-p.Ended:
	case <-time.After(patience):
		p.Kill()
	}
}

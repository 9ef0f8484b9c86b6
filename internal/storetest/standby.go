package storetest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// StartStandby starts a server that follows s by streaming replication. From
// then on s acknowledges a commit only after the standby has it on disk, so
// that a failover loses no acknowledged change.
func (s *Server) StartStandby(ctx context.Context) (*Server, error) {
	dir, err := os.MkdirTemp(folder(s.fsync), "rollcall-pg-")
	if err != nil {
		return nil, err
	}
	next := &Server{dir: dir}
	attr, err := owner(dir)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	data := filepath.Join(dir, "data")
	backup := exec.CommandContext(ctx, filepath.Join(filepath.Dir(s.run.Cmd.Path), "pg_basebackup"), "-D", data, "-R",
		"-h", s.dir, "-U", "postgres", "--checkpoint=fast", "--no-sync")
	backup.SysProcAttr, backup.Dir = attr, dir
	if out, err := backup.CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("pg_basebackup: %w\n%s", err, out)
	}
	if err := next.launch(ctx, s.run.Cmd.Path, data, attr, s.fsync); err != nil {
		return nil, err
	}
	if err := s.exec(ctx, "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"); err != nil {
		return nil, err
	}
	return next, s.waitSynchronous(ctx)
}

// waitSynchronous waits until commits wait for the standby.
func (s *Server) waitSynchronous(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, s.URL)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	for n := 0; n == 0; time.Sleep(20 * time.Millisecond) {
		err := c.QueryRow(ctx, "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'").Scan(&n)
		if err != nil {
			return fmt.Errorf("wait for the standby: %w", err)
		}
	}
	return nil
}

// Promote makes a standby the primary. A statement that waits for this would
// conflict with the changes that the standby still repeats.
func (s *Server) Promote(ctx context.Context) error {
	err := s.exec(ctx, "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()",
		"SELECT pg_promote(false)")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for s.exec(ctx, "DO $$ BEGIN ASSERT NOT pg_is_in_recovery(); END $$") != nil {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the promotion: %w", ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

func (s *Server) exec(ctx context.Context, statements ...string) error {
	c, err := pgx.Connect(ctx, s.URL)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	for _, statement := range statements {
		if _, err := c.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// Freeze stops every process of the server, like a host that hangs: its
// connections stay open and nothing answers. Thaw continues them.
func (s *Server) Freeze() error { return s.signalAll(syscall.SIGSTOP) }

// Thaw continues a frozen server.
func (s *Server) Thaw() error { return s.signalAll(syscall.SIGCONT) }

// signalAll signals the server first, so that it starts no more processes.
func (s *Server) signalAll(signal syscall.Signal) error {
	if err := s.run.Cmd.Process.Signal(signal); err != nil {
		return err
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return err
	}
	for _, path := range stats {
		pid, parent := parentOf(path)
		if parent != s.run.Cmd.Process.Pid {
			continue
		}
		if err := syscall.Kill(pid, signal); err != nil {
			return err
		}
	}
	return nil
}

// parentOf reads the ids of a process and its parent from /proc/PID/stat. A
// process that has ended has no parent.
func parentOf(stat string) (pid, parent int) {
	text, err := os.ReadFile(stat)
	if err != nil {
		return 0, 0
	}
	// The name of the program is in brackets and may contain anything.
	head, tail, _ := strings.Cut(string(text), " (")
	fields := strings.Fields(tail[strings.LastIndex(tail, ")")+1:])
	pid, _ = strconv.Atoi(head)
	parent, _ = strconv.Atoi(fields[1])
	return pid, parent
}

// URLOfBoth returns a URL for a database on two servers. A client uses the one
// that accepts changes.
func URLOfBoth(a, b *Server, database string) string {
	return fmt.Sprintf("postgres:///%s?host=%s,%s&user=postgres&target_session_attrs=read-write", database, a.dir, b.dir)
}

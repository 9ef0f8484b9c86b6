package storetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"rollcall/internal/subprocess"
)

// Server is a private PostgreSQL server with its own data directory, reached
// only through a socket inside it.
type Server struct {
	// URL reaches its postgres database.
	URL string
	dir string
	run *subprocess.Process
	// fsync says whether commits are on disk when they are acknowledged.
	fsync bool
}

// StartServer starts a PostgreSQL server with the machine's binaries. durable
// enables real fsyncs, which tests do not need. PostgreSQL refuses to run as
// root, so root runs it as the user postgres, which Debian's package creates.
func StartServer(ctx context.Context, durable bool) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(folder(durable), "rollcall-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	attr, err := owner(dir)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E",
		"UTF8", "--locale=C.UTF-8", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = attr, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	s.fsync = durable
	return s, s.launch(ctx, filepath.Join(bin, "postgres"), data, attr, durable)
}

// memory is a file system in memory that Linux machines have.
const memory = "/dev/shm"

// folder returns the parent of the directories of servers, "" for that of all
// temporary files. Tests create hundreds of databases, each of which is hundreds of
// files. That takes less time in memory, where servers that do not sync may be.
func folder(durable bool) string {
	var fs syscall.Statfs_t
	const tmpfs, enough = 0x01021994, 4 << 30
	if durable || syscall.Statfs(memory, &fs) != nil || fs.Type != tmpfs || fs.Bavail*uint64(fs.Bsize) < enough {
		return ""
	}
	return memory
}

// launch starts the server on its data and waits until it answers.
func (s *Server) launch(ctx context.Context, postgres, data string, attr *syscall.SysProcAttr, durable bool) error {
	args := []string{"-D", data, "-k", s.dir, "-c", "listen_addresses=", "-c", "max_connections=300",
		"-c", "max_pred_locks_per_transaction=256", // hundreds of databases share them
		"-c", "shared_buffers=256MB", "-c", "max_wal_size=1GB", "-c", "jit=off",
		"-c", "log_min_messages=fatal", "-c", "log_min_error_statement=panic"}
	if !durable {
		args = append(args, "-c", "fsync=off", "-c", "full_page_writes=off")
	}
	cmd := exec.Command(postgres, args...)
	cmd.SysProcAttr, cmd.Dir = attr, s.dir
	var err error
	if s.run, err = subprocess.Start(cmd); err != nil {
		os.RemoveAll(s.dir)
		return fmt.Errorf("start postgres: %w", err)
	}
	s.URL = fmt.Sprintf("postgres:///postgres?host=%s&user=postgres", s.dir)
	if err := s.wait(ctx); err != nil {
		stopped := s.Stop() // and has said all that it will
		return errors.Join(fmt.Errorf("%w\n%s", err, s.run.Stderr), stopped)
	}
	return nil
}

// binaries finds the newest PostgreSQL of the machine.
func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) > 0 {
		slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
		return filepath.Dir(found[0]), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errors.New("no PostgreSQL server on this machine: install Debian's package postgresql-15")
}

func version(initdb string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb))))
	return n
}

// owner gives the directory to the user who will run the server.
func owner(dir string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if os.Getuid() != 0 {
		return attr, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("root needs the user postgres to run the server: %w", err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, os.Chown(dir, uid, gid)
}

func (s *Server) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		c, err := pgx.Connect(ctx, s.URL)
		if err == nil {
			return c.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for postgres: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Pid returns the id of the server's process, the parent of all of its others.
func (s *Server) Pid() int { return s.run.Cmd.Process.Pid }

// Kill ends the server as a crash would, and keeps its data. Restart starts it
// again.
func (s *Server) Kill() error {
	err := s.run.Signal(syscall.SIGQUIT)
	<-s.run.Ended
	return err
}

// Restart starts a killed server again.
func (s *Server) Restart(ctx context.Context) (err error) {
	next := exec.Command(s.run.Cmd.Path, s.run.Cmd.Args[1:]...)
	next.SysProcAttr, next.Dir = s.run.Cmd.SysProcAttr, s.run.Cmd.Dir
	if s.run, err = subprocess.Start(next); err != nil {
		return err
	}
	return s.wait(ctx)
}

// Stop ends the server and removes its data.
func (s *Server) Stop() error {
	_ = s.run.Signal(syscall.SIGINT)
	<-s.run.Ended
	return os.RemoveAll(s.dir)
}

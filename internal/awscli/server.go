package awscli

import (
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
)

// Server runs commands of one CLI.
type Server struct {
	cli    CLI
	dir    string
	stdin  io.Closer // the server ends when it is closed
	cmd    *exec.Cmd // nil if every command is a separate process
	stderr *os.File
}

//go:embed server.py
var serverScript []byte

// Start starts a server. It returns at once.
func Start(cli CLI) (s *Server, err error) {
	s = &Server{cli: cli}
	if cli.python == "" {
		return s, nil
	}
	if s.dir, err = os.MkdirTemp("", "awscli-"); err != nil {
		return nil, err
	}
	script := filepath.Join(s.dir, "server.py")
	if err := os.WriteFile(script, serverScript, 0o600); err != nil {
		return nil, err
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: s.Socket(), Net: "unix"})
	if err != nil {
		return nil, err
	}
	defer func() { _ = listener.Close() }()
	listener.SetUnlinkOnClose(false)
	socket, err := listener.File()
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	if s.stderr, err = os.Create(filepath.Join(s.dir, "stderr")); err != nil {
		return nil, err
	}
	s.cmd = exec.Command(cli.python, script, cli.script)
	s.cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1")
	s.cmd.ExtraFiles = []*os.File{socket}
	s.cmd.Stdout, s.cmd.Stderr = s.stderr, s.stderr
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return s, s.cmd.Start()
}

// Socket returns the address of the server, or "" if there is none.
func (s *Server) Socket() string {
	if s.cli.python == "" {
		return ""
	}
	return filepath.Join(s.dir, "socket")
}

// Stop ends the server.
func (s *Server) Stop() error {
	if s.cmd == nil {
		return nil
	}
	s.stdin.Close()
	err := s.cmd.Wait()
	if said, _ := os.ReadFile(s.stderr.Name()); err != nil {
		err = fmt.Errorf("AWS CLI server: %w\n%s", err, said)
	}
	return errors.Join(err, s.stderr.Close(), os.RemoveAll(s.dir))
}

// Run runs a command and returns its exit code.
func (s *Server) Run(c Command, stdout, stderr io.Writer) (int, error) {
	if s.cmd == nil {
		cmd := exec.Command(s.cli.Path, c.Args...)
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.Dir, c.Env, stdout, stderr
		return exitCode(cmd.Run())
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	var copying sync.WaitGroup
	defer copying.Wait()
	out, err := pipe(&copying, stdout)
	if err != nil {
		return 0, err
	}
	defer out.Close()
	errOut, err := pipe(&copying, stderr)
	if err != nil {
		return 0, err
	}
	defer errOut.Close()
	return ask(s.Socket(), c, null, out, errOut)
}

// pipe returns a file whose content is copied to w until every copy of it is
// closed.
func pipe(copying *sync.WaitGroup, w io.Writer) (*os.File, error) {
	from, to, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	copying.Go(func() {
		_, _ = io.Copy(w, from)
		from.Close()
	})
	return to, nil
}

// ask asks the server to run a command.
func ask(socket string, c Command, files ...*os.File) (int, error) {
	connection, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		return 0, err
	}
	defer func() { _ = connection.Close() }()
	request, err := json.Marshal(
		map[string]any{"dir": c.Dir, "env": c.environ(), "args": append([]string{}, c.Args...)})
	if err != nil {
		return 0, err
	}
	var fds []int
	for _, f := range files {
		fds = append(fds, int(f.Fd()))
	}
	length := binary.BigEndian.AppendUint32(nil, uint32(len(request)))
	if _, _, err := connection.WriteMsgUnix(length, syscall.UnixRights(fds...), nil); err != nil {
		return 0, err
	}
	if _, err := connection.Write(request); err != nil {
		return 0, err
	}
	answer, err := io.ReadAll(connection)
	if err != nil {
		return 0, err
	}
	code, err := strconv.Atoi(string(answer))
	if err != nil {
		return 0, fmt.Errorf("the AWS CLI server answered %q", answer)
	}
	return code, nil
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/sigv4/sigv4test"
	"rollcall/internal/subprocess"
)

// process is a server that is measured, in a separate process.
type process struct {
	target
	*subprocess.Process
}

// freeAddr returns a loopback address that was free a moment ago.
func freeAddr() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func start(
	addr string, credentials sigv4test.Credentials, env []string, name string, args ...string,
) (*process, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	started, err := subprocess.Start(cmd)
	if err != nil {
		return nil, err
	}
	p := &process{target{addr, credentials}, started}
	for begin := time.Now(); ; {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
			return p, nil
		}
		if time.Since(begin) > 5*time.Minute {
			p.stop()
			return nil, fmt.Errorf("%s does not listen: %s", name, p.Stderr)
		}
		time.Sleep(time.Millisecond)
	}
}

func (p *process) stop() { p.Stop(10 * time.Second) }

// peak returns the maximum resident memory of the process so far, in MiB.
func (p *process) peak() float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kb), "kB")))
			return float64(n) / 1024
		}
	}
	return 0
}

// rollcall holds the place of a service's data, and the binary that serves it.
type rollcall struct {
	binary string
	dir    string
	store  string // a PostgreSQL URL, or "" for the SQLite file in dir
	root   sigv4test.Credentials
}

const account = "123456789012"

// newRollcall creates an account without a limit on its users, in an SQLite
// file.
func newRollcall(ctx context.Context, binary, dir string) (*rollcall, error) {
	return newRollcallOn(ctx, binary, dir, "")
}

// newRollcallOn is newRollcall on the store of a URL.
func newRollcallOn(ctx context.Context, binary, dir, store string) (*rollcall, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	r := &rollcall{binary: binary, dir: filepath.Join(dir, "data"), store: store}
	cmd := exec.CommandContext(ctx, binary,
		append([]string{"account", "create", "--id", account, "--output", "json", "--limit",
			"UsersPerAccount=1000000000"}, r.where()...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("account create: %w", err)
	}
	var key struct{ AccessKeyId, SecretAccessKey string }
	if err := json.Unmarshal(out, &key); err != nil {
		return nil, err
	}
	r.root = sigv4test.Credentials{AccessKeyID: key.AccessKeyId, SecretAccessKey: key.SecretAccessKey}
	return r, nil
}

func (r *rollcall) where() []string {
	args := []string{"--data", r.dir}
	if r.store != "" {
		args = append(args, "--store", r.store)
	}
	return args
}

// serve starts the service as an operator would, with its trail, but without the
// limits on the rate of one caller.
func (r *rollcall) serve(args ...string) (*process, error) {
	addr := freeAddr()
	all := append([]string{"serve", "--listen", addr, "--admin-listen", "off", "--log-level", "warn",
		"--rate-limit", "0", "--account-rate-limit", "0"}, r.where()...)
	return start(addr, r.root, nil, r.binary, append(all, args...)...)
}

// serving serves a new account on the store of a URL, or on a SQLite file if that is
// "". end stops the service and removes its data.
func (b *bench) serving(ctx context.Context, name, url string) (p *process, end func(), err error) {
	r, err := newRollcallOn(ctx, b.binary, filepath.Join(b.dir, name), url)
	if err != nil {
		return nil, nil, err
	}
	if p, err = r.serve(); err != nil {
		os.RemoveAll(r.dir)
		return nil, nil, err
	}
	return p, func() { p.stop(); os.RemoveAll(r.dir) }, nil
}

// moto starts moto's server, if it is installed. It creates seed users inside
// the server before it listens: through its API they would take longer than
// everything else.
func moto(seed int) (*process, error) {
	addr := freeAddr()
	host, port, _ := net.SplitHostPort(addr)
	any := sigv4test.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "secret"}
	if seed == 0 {
		return start(addr, any, nil, "python3", "-m", "moto.server", "-H", host, "-p", port)
	}
	script := fmt.Sprintf(`
import sys
from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends
b = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
for i in range(%d):
    name = "user-%%07d" %% i
    b.create_user("us-east-1", name, "/division/engineering/department/platform/")
    if i %% 10 < 6: b.create_access_key(user_name=name)
    if i %% 10 < 3: b.create_access_key(user_name=name)
    if i %% 2 == 0: b.create_login_profile(name, "Secret-123")
from moto.server import main
main(["-H", %q, "-p", %q])
`, seed, host, port)
	return start(addr, any, nil, "python3", "-c", script)
}

func hasMoto() bool {
	return exec.Command("python3", "-c", "import moto.server").Run() == nil
}

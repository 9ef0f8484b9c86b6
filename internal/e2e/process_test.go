package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/sdkhttp"
	"rollcall/internal/storetest"
)

// soak is how long the crash loops go on beyond what every run does.
var soak = flag.Duration("soak", 0, "go on with the crash loops for this long")

// binary is the program under test.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	// Most tests wait for something else than a processor.
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "rollcall-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	// Some tests run the binary as another user.
	if err := os.Chmod(dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binary = filepath.Join(dir, "rollcall")
	args := []string{"build", "-o", binary}
	if raceEnabled {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, "rollcall/cmd/rollcall")...).CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "build rollcall: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// environment is what the binary and the clients see of ours: no setting and
// no credential of whoever runs the tests.
func environment(t testing.TB, extra ...string) []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LC_ALL=C.UTF-8", "TZ=UTC"}, extra...)
}

// process is the binary, running.
type process struct {
	t      testing.TB
	cmd    *exec.Cmd
	stderr *record
	ended  chan struct{}
	err    error // how it ended, once ended is closed
	// url and admin are the addresses it says it listens on.
	url, admin string
}

// record keeps what a process says, for whoever wants to read it meanwhile.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(b)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// launch starts a command, which is the binary or leads to it.
func launch(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, stderr: &record{}, ended: make(chan struct{})}
	cmd.Stderr = p.stderr
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	// No process outlives the tests, not even those of a test that panics.
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.kill()
		said := p.stderr.String()
		if strings.Contains(said, "DATA RACE") || strings.Contains(said, "goroutine 1 [") || strings.Contains(said, "panic") {
			t.Errorf("the process said:\n%s", said)
		} else if t.Failed() {
			t.Logf("the process said:\n%s", tail(said, 20000))
		}
	})
	return p
}

func tail(s string, n int) string {
	if len(s) > n {
		s = "…" + s[len(s)-n:]
	}
	return s
}

// serve starts the service and waits until it listens.
func serve(t testing.TB, args ...string) *process {
	t.Helper()
	args = append([]string{"serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--log-format", "json"}, args...)
	cmd := exec.Command(binary, args...)
	cmd.Env = environment(t)
	p := launch(t, cmd)
	p.waitListening()
	return p
}

// startTimeout is far more than a start takes.
const startTimeout = 2 * time.Minute

// waitListening reads from the log where the service listens.
func (p *process) waitListening() {
	p.t.Helper()
	for end := time.Now().Add(startTimeout); time.Now().Before(end); {
		for line := range strings.Lines(p.stderr.String()) {
			var said struct{ Msg, URL, Admin string }
			if json.Unmarshal([]byte(line), &said) == nil && said.Msg == "listening" {
				p.url, p.admin = said.URL, said.Admin
				return
			}
		}
		select {
		case <-p.ended:
			p.t.Fatalf("rollcall ended instead of listening: %v\n%s", p.err, p.stderr)
		case <-time.After(2 * time.Millisecond):
		}
	}
	p.t.Fatalf("rollcall does not listen after %v:\n%s", startTimeout, p.stderr)
}

// dev starts the emulator with credentials of its own.
func dev(t testing.TB, args ...string) (*process, account) {
	t.Helper()
	a := account{AccountID: "123456789012", AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	ready := filepath.Join(t.TempDir(), "url")
	cmd := exec.Command(binary, append([]string{"dev", "--listen", "127.0.0.1:0", "--account", a.AccountID, "--ready-file", ready}, args...)...)
	cmd.Env = environment(t, "AWS_ACCESS_KEY_ID="+a.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+a.SecretAccessKey)
	p := launch(t, cmd)
	for end := time.Now().Add(startTimeout); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if text, err := os.ReadFile(ready); err == nil {
			p.url = strings.TrimSpace(string(text))
			return p, a
		}
	}
	t.Fatalf("the emulator is not ready after %v:\n%s", startTimeout, p.stderr)
	return nil, a
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("send %v: %v", s, err)
	}
}

// kill ends the process as a crash does, kill -9.
func (p *process) kill() {
	p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.ended
}

// stop ends the process as an operator does. It must end well.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	p.waitEnd(time.Minute)
	if p.err != nil {
		p.t.Errorf("rollcall ended by SIGTERM: %v, want exit code 0\n%s", p.err, p.stderr)
	}
}

func (p *process) waitEnd(patience time.Duration) {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("rollcall has not ended after %v:\n%s", patience, p.stderr)
	}
}

// dump has the process say what all its goroutines do, and end.
func (p *process) dump() {
	p.signal(syscall.SIGQUIT)
	p.waitEnd(time.Minute)
}

// account is what 'rollcall account create' prints.
type account struct {
	AccountID       string `json:"AccountId"`
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
}

// key is an access key that a client signs with.
type key struct{ id, secret string }

func (a account) root() key { return key{a.AccessKeyID, a.SecretAccessKey} }

// operate runs a command of the operator's to its end.
func operate(t testing.TB, args ...string) string {
	t.Helper()
	out, err := tryOperate(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tryOperate(t testing.TB, args ...string) (string, error) {
	cmd := exec.Command(binary, args...)
	cmd.Env = environment(t)
	out, err := cmd.Output()
	if err != nil {
		said := ""
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			said = string(exit.Stderr)
		}
		return "", fmt.Errorf("rollcall %s: %w: %s", strings.Join(args, " "), err, said)
	}
	return string(out), nil
}

// createAccount makes an account in an installation that its flags name.
func createAccount(t testing.TB, flags ...string) account {
	t.Helper()
	text := operate(t, append([]string{"account", "create", "--output", "json", "--limit", "UsersPerAccount=1000000"}, flags...)...)
	a, err := decodeAccount(strings.NewReader(text))
	if err != nil {
		t.Fatalf("read %q: %v", text, err)
	}
	return a
}

func decodeAccount(r io.Reader) (a account, err error) {
	err = json.NewDecoder(r).Decode(&a)
	return a, err
}

// eachStore runs a test once for every kind of installation, whose flags it
// is given: those of all nodes on one store.
func eachStore(t *testing.T, test func(t *testing.T, flags []string)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, []string{"--data", dataDir(t)})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, []string{"--data", dataDir(t), "--store", storetest.Postgres(t).URL})
	})
}

// dataDir is a data directory that nobody has used yet.
func dataDir(t testing.TB) string { return filepath.Join(t.TempDir(), "data") }

// transport is a client's own, so that nodes that were killed leave no
// connections behind that another test could trip over.
func transport(t testing.TB) *http.Client {
	tr := &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: sdkhttp.Transport(tr), Timeout: 60 * time.Second}
}

// sharedClient is for calls of many keys.
var sharedClient = &http.Client{Transport: sdkhttp.Transport(&http.Transport{MaxIdleConnsPerHost: 16}), Timeout: 60 * time.Second}

// config is the AWS SDK's, for a service at url; it tries once only, so that
// an outcome is that of one request.
func config(url string, k key, client *http.Client) aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(url), HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider(k.id, k.secret, ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
}

func (p *process) iam(k key) *iam.Client {
	return iam.NewFromConfig(config(p.url, k, transport(p.t)))
}

func (p *process) sts(k key) *sts.Client {
	return sts.NewFromConfig(config(p.url, k, transport(p.t)))
}

// signs says whether a key is accepted.
func signs(ctx context.Context, url string, k key, client *http.Client) error {
	return signsWith(ctx, config(url, k, client))
}

func signsWith(ctx context.Context, cfg aws.Config) error {
	_, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	return err
}

// get reads a page of the admin listener.
func get(t testing.TB, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// rotation is 'rollcall masterkey rotate', not started yet.
func rotation(t testing.TB, flags []string) *exec.Cmd {
	cmd := exec.Command(binary, append([]string{"masterkey", "rotate"}, flags...)...)
	cmd.Env = environment(t)
	return cmd
}

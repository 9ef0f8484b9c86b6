//go:build interop

package interop

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/e2e/e2etest"
	"rollcall/internal/subprocess"
)

// rsyslog is Debian's rsyslogd as a process of the test, without privileges, with
// a configuration of its own.
type rsyslog struct {
	*subprocess.Process
	t           *testing.T
	root, dir   string
	out         string // receives the messages, one a line
	tcp, tls    string // addresses
	unix        string
	client, own *e2etest.Certificate
}

// rsyslogConfig has a listener of each kind. By default rsyslog cuts messages at
// 8 KiB, and reads those of a Unix socket as an older form.
const rsyslogConfig = `
global(workDirectory="DIR" maxMessageSize="256k" defaultNetstreamDriver="ossl"
	defaultNetstreamDriverCAFile="CLIENT" defaultNetstreamDriverCertFile="CERT" defaultNetstreamDriverKeyFile="KEY")
module(load="imptcp")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="x509/certvalid")
module(load="imuxsock" sysSock.use="off")
template(name="record" type="string" string="%msg%\n")
ruleset(name="trail" parser="rsyslog.rfc5424") { action(type="omfile" file="OUT" template="record") }
input(type="imptcp" address="127.0.0.1" port="TCP" ruleset="trail")
input(type="imtcp" address="127.0.0.1" port="TLS" ruleset="trail")
input(type="imuxsock" socket="UNIX" ruleset="trail" useSpecialParser="off")
`

func startRsyslog(t *testing.T) *rsyslog {
	t.Helper()
	r := &rsyslog{t: t, root: client(t, "rsyslog"), dir: t.TempDir(), tcp: freeAddress(t), tls: freeAddress(t)}
	r.out, r.unix = filepath.Join(r.dir, "out.jsonl"), filepath.Join(r.dir, "log")
	for _, name := range []string{"client", "collector"} {
		e2etest.Must(t, os.Mkdir(filepath.Join(r.dir, name), 0o700))
	}
	r.client = e2etest.NewCertificate(t, filepath.Join(r.dir, "client"), "rollcall")
	r.own = e2etest.NewCertificate(t, filepath.Join(r.dir, "collector"), "collector")
	config := strings.NewReplacer("DIR", r.dir, "CLIENT", r.client.Cert, "CERT", r.own.Cert, "KEY", r.own.Key,
		"OUT", r.out, "TCP", portOf(r.tcp), "TLS", portOf(r.tls), "UNIX", r.unix).Replace(rsyslogConfig)
	e2etest.Must(t, os.WriteFile(filepath.Join(r.dir, "rsyslog.conf"), []byte(config), 0o600))
	r.start()
	t.Cleanup(func() {
		if r.Kill(); t.Failed() {
			t.Logf("rsyslogd said:\n%s", r.Stderr)
		}
	})
	return r
}

// start starts the process, and waits until it listens.
func (r *rsyslog) start() {
	r.t.Helper()
	libraries := filepath.Join(r.root, "usr", "lib", "x86_64-linux-gnu")
	if found, _ := filepath.Glob(filepath.Join(r.root, "usr", "lib", "*", "rsyslog")); len(found) == 1 {
		libraries = filepath.Dir(found[0])
	}
	cmd := exec.Command(filepath.Join(r.root, "usr", "sbin", "rsyslogd"), "-n", "-f", filepath.Join(r.dir, "rsyslog.conf"),
		"-i", filepath.Join(r.dir, "pid"), "-M", filepath.Join(libraries, "rsyslog"))
	cmd.Env = []string{"LD_LIBRARY_PATH=" + libraries, "PATH=" + os.Getenv("PATH")}
	var err error
	r.Process, err = subprocess.Start(cmd)
	e2etest.Must(r.t, err)
	for _, address := range []string{r.tcp, r.tls} {
		e2etest.WaitFor(r.t, "rsyslogd", func() error {
			c, err := net.Dial("tcp", address)
			if err == nil {
				err = c.Close()
			}
			return err
		})
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	e2etest.Must(t, err)
	defer l.Close()
	return l.Addr().String()
}

func portOf(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

// waitFor waits until the collector has so many records of an action.
func (r *rsyslog) waitFor(action string, n int) {
	r.t.Helper()
	e2etest.WaitFor(r.t, action, func() error {
		text, err := os.ReadFile(r.out)
		if got := bytes.Count(text, []byte(`"eventName":"`+action+`"`)); err == nil && got < n {
			err = fmt.Errorf("%d of %d", got, n)
		}
		return err
	})
}

// longest returns the length of the longest line.
func (r *rsyslog) longest() (most int) {
	text, err := os.ReadFile(r.out)
	e2etest.Must(r.t, err)
	for line := range bytes.Lines(text) {
		most = max(most, len(line))
	}
	return most
}

// TestRsyslog sends the trail to Debian's rsyslog. Its file must contain the whole
// chain, with the longest possible records, even after a restart. If it is killed
// under load, the verification must find the gap.
func TestRsyslog(t *testing.T) {
	for name, c := range map[string]struct {
		dest  func(*rsyslog) string
		least int // length of the longest record
	}{
		"tls": {func(r *rsyslog) string {
			return "syslog+tls://" + r.tls + "?ca=" + r.own.Cert + "&cert=" + r.client.Cert + "&key=" + r.client.Key
		}, 64_000},
		"tcp":  {func(r *rsyslog) string { return "syslog+tcp://" + r.tcp }, 64_000},
		"unix": {func(r *rsyslog) string { return "syslog+unix://" + r.unix }, 20_000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startRsyslog(t)
			flags := []string{"--data", e2etest.DataDir(t)}
			a := e2etest.CreateAccount(t, flags...)
			node := e2etest.Serve(t, append(flags, "--trail", c.dest(r))...)
			root := node.IAM(a.Root())
			create := func(name string) error {
				_, err := root.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name})
				return err
			}
			for i := range 50 {
				e2etest.Must(t, create(fmt.Sprint("before-", i)))
				simulate(t, root, i*4)
			}
			r.waitFor("CreateUser", 50)
			r.waitFor("SimulateCustomPolicy", 50)
			r.verify(flags, 0)
			if most := r.longest(); most < c.least {
				t.Errorf("the longest record has %d bytes", most)
			}

			// While nobody listens a change is refused, before it happens.
			r.Stop(10 * time.Second)
			e2etest.WaitFor(t, "a refusal", func() error {
				err := create("between-" + fmt.Sprint(time.Now().UnixNano()))
				if code, _ := e2etest.ErrorCode(err); code != "ServiceUnavailable" {
					return fmt.Errorf("answered %v", err)
				}
				return nil
			})
			r.start()
			e2etest.WaitFor(t, "a change", func() error { return create("after-" + fmt.Sprint(time.Now().UnixNano())) })
			r.waitFor("TrailResumed", 1)

			users := startFlood(t, root)
			users.wait(t, 100)
			r.Kill()
			time.Sleep(time.Second)
			r.start()
			users.wait(t, 100)
			acknowledged := users.stop()
			node.Stop()
			time.Sleep(time.Second)
			r.Stop(10 * time.Second)
			missing := r.missing(acknowledged)
			t.Logf("%d changes acknowledged, %d without a record at the collector", len(acknowledged), missing)
			r.verify(flags, missing)
		})
	}
}

// simulate makes a call whose record is as long as there are resources.
func simulate(t *testing.T, client *iam.Client, resources int) {
	t.Helper()
	in := &iam.SimulateCustomPolicyInput{ActionNames: []string{"s3:GetObject"}, PolicyInputList: []string{
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`}}
	for i := range resources {
		in.ResourceArns = append(in.ResourceArns, fmt.Sprintf("arn:aws:s3:::b/%03d-%s", i, strings.Repeat("é", 430)))
	}
	if _, err := client.SimulateCustomPolicy(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// flood is clients that create users, whatever the answers.
type flood struct {
	cancel context.CancelFunc
	group  sync.WaitGroup
	mu     sync.Mutex
	names  []string // of the acknowledged ones
}

func startFlood(t *testing.T, client *iam.Client) *flood {
	ctx, cancel := context.WithCancel(t.Context())
	f := &flood{cancel: cancel}
	for i := range 8 {
		f.group.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				name := fmt.Sprintf("flood%d-%d", i, n)
				if _, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}); err != nil {
					time.Sleep(10 * time.Millisecond)
					continue
				}
				f.mu.Lock()
				f.names = append(f.names, name)
				f.mu.Unlock()
			}
		})
	}
	return f
}

func (f *flood) acknowledged() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.names)
}

// wait waits for n more users.
func (f *flood) wait(t *testing.T, n int) {
	t.Helper()
	n += len(f.acknowledged())
	e2etest.WaitFor(t, "changes", func() error {
		if got := len(f.acknowledged()); got < n {
			return fmt.Errorf("%d of %d", got, n)
		}
		return nil
	})
}

func (f *flood) stop() []string {
	f.cancel()
	f.group.Wait()
	return f.acknowledged()
}

// missing counts the users without a record.
func (r *rsyslog) missing(names []string) (n int) {
	text, err := os.ReadFile(r.out)
	e2etest.Must(r.t, err)
	for _, name := range names {
		if !bytes.Contains(text, []byte(`"requestParameters":{"userName":"`+name+`"`)) {
			n++
		}
	}
	return n
}

// verify verifies the file of the collector. The chain must be whole. If records
// are missing, the verification must say so.
func (r *rsyslog) verify(flags []string, missing int) {
	r.t.Helper()
	cmd := exec.Command(e2etest.Binary, append([]string{"trail", "verify", r.out}, flags...)...)
	cmd.Env = e2etest.Environment(r.t)
	out, err := cmd.CombinedOutput()
	switch said := strings.Contains(string(out), " missing before this record"); {
	case (missing > 0 || err != nil) && !said:
		r.t.Errorf("%d records are missing, and the chain says: %v\n%.2000s", missing, err, out)
	case err == nil:
		r.t.Logf("%s", out[bytes.LastIndexByte(bytes.TrimSpace(out), '\n')+1:])
	}
}

package faults

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"rollcall/internal/e2e/e2etest"
	"rollcall/internal/storetest"
)

// TestStop asks the service to end while a request is half sent: it accepts no
// new connection, finishes the request, stores the use of keys, and exits 0.
func TestStop(t *testing.T) {
	e2etest.EachStore(t, func(t *testing.T, flags []string) {
		acc := e2etest.CreateAccount(t, flags...)
		node := e2etest.Serve(t, flags...)
		k := e2etest.CreateKey(t, node, acc, "carol")
		before := time.Now().Truncate(time.Second)
		e2etest.IdentityOf(t, node.STS(k))

		body := "Action=CreateUser&UserName=under.way&Version=2010-05-08"
		c, rest := e2etest.SendHalf(t, node, acc.Root(), body)
		node.Signal(syscall.SIGTERM)
		waitRefused(t, node)
		if _, err := io.WriteString(c, rest); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("the request under way was cut off: %v", err)
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			text, _ := io.ReadAll(response.Body)
			t.Errorf("the request under way was answered %s %s", response.Status, text)
		}
		node.WaitEnd(time.Minute)
		if node.Err != nil {
			t.Errorf("ended by SIGTERM: %v, want exit code 0", node.Err)
		}

		node = e2etest.Serve(t, flags...)
		client := node.IAM(acc.Root())
		name := "under.way"
		if _, err := client.GetUser(t.Context(), &iam.GetUserInput{UserName: &name}); err != nil {
			t.Errorf("what was acknowledged while stopping: %v", err)
		}
		used, err := client.GetAccessKeyLastUsed(t.Context(), &iam.GetAccessKeyLastUsedInput{AccessKeyId: &k.ID})
		if err != nil {
			t.Fatal(err)
		}
		if at := used.AccessKeyLastUsed.LastUsedDate; at == nil || at.Before(before) {
			t.Errorf("the key was last used %v, want %v or later", at, before)
		}
	})
}

func waitRefused(t *testing.T, node *e2etest.Process) {
	t.Helper()
	at, _ := url.Parse(node.URL)
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("tcp", at.Host)
		if err != nil {
			return
		}
		c.Close()
	}
	t.Error("the service still accepts connections")
}

// TestStopTwice ends the service immediately although a request is running.
func TestStopTwice(t *testing.T) {
	t.Parallel()
	data := []string{"--data", e2etest.DataDir(t)}
	acc := e2etest.CreateAccount(t, data...)
	node := e2etest.Serve(t, data...)
	e2etest.SendHalf(t, node, acc.Root(), "Action=GetUser&Version=2010-05-08")
	node.Signal(syscall.SIGTERM)
	waitRefused(t, node)
	node.Signal(syscall.SIGTERM)
	node.WaitEnd(15 * time.Second) // half of what the first signal allows
}

// TestFullDisk fills the disk of the service. Changes are refused in AWS's
// form, acknowledged ones stay, and when there is space again everything
// continues.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	t.Run("of data and trail", func(t *testing.T) {
		t.Parallel()
		testFullDisk(t, "")
	})
	t.Run("of data alone", func(t *testing.T) {
		t.Parallel()
		testFullDisk(t, "--trail "+filepath.Join(t.TempDir(), "trail.jsonl"))
	})
}

func testFullDisk(t *testing.T, trail string) {
	dir := t.TempDir()
	// The disk is a small file system that only the service sees.
	script := fmt.Sprintf(
		`mount -t tmpfs -o size=6m,mode=0700 tmpfs %[1]s && %[2]s account create --data %[1]s/data --output json && `+
			`exec %[2]s serve --data %[1]s/data --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --log-format `+
			`json %[3]s`, dir, e2etest.Binary, trail)
	node, acc := serveIn(t, script)
	client := node.IAM(acc.Root())
	ctx := t.Context()

	inside := fmt.Sprintf("/proc/%d/root%s", node.Cmd.Process.Pid, dir)
	ballast := filepath.Join(inside, "ballast")
	known := []string{}
	create := func(name string) error {
		_, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: &name})
		if err == nil {
			known = append(known, name)
		}
		return err
	}
	if err := create("before"); err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		fill(t, ballast)
		refused := 0
		for i := range 3000 {
			if err := create(fmt.Sprintf("full-%d-%d", round, i)); err != nil {
				checkServerError(t, err)
				if refused++; refused == 5 {
					break
				}
			}
		}
		if refused == 0 {
			t.Fatal("the disk is full and changes are acknowledged")
		}
		for _, name := range []string{"before", known[len(known)-1]} {
			if _, err := client.GetUser(ctx, &iam.GetUserInput{UserName: &name}); err != nil {
				t.Errorf("read on a full disk: %v", err)
			}
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		e2etest.WaitFor(t, "a change with room again", func() error {
			return create(fmt.Sprintf("after-%d-%d", round, len(known)))
		})
	}
	for _, name := range known {
		if _, err := client.GetUser(ctx, &iam.GetUserInput{UserName: &name}); err != nil {
			t.Errorf("%s was acknowledged: %v", name, err)
		}
	}
	e2etest.CheckFile(t, []string{"--data", inside + "/data"})
	node.Stop()
}

// readAccount reads the account that is printed before the service starts.
func readAccount(t *testing.T, r io.Reader) e2etest.Account {
	t.Helper()
	a, err := e2etest.DecodeAccount(r)
	if err != nil {
		t.Fatalf("no account: %v (the test needs the right to mount in a namespace of its own)", err)
	}
	return a
}

// fill writes until nothing more fits.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 64 << 10; size > 0; size /= 2 {
		for {
			if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// checkServerError expects an error in AWS's form that blames the server.
func checkServerError(t *testing.T, err error) {
	t.Helper()
	var response *smithyhttp.ResponseError
	code, ok := e2etest.ErrorCode(err)
	if !ok || !errors.As(err, &response) || response.HTTPStatusCode() < 500 || code == "" {
		t.Errorf("got %v, want a server's error in AWS's form", err)
	}
	for _, detail := range []string{"sqlite", "disk", "postgres", "space", "connect"} {
		if strings.Contains(strings.ToLower(err.Error()), detail) {
			t.Errorf("the client learns what it must not know: %v", err)
		}
	}
}

// TestPostgresAway removes the database and brings it back. In the meantime the
// service answers with errors in AWS's form and is not ready for load
// balancers. Then everything continues without a restart, and no acknowledged
// change is lost.
func TestPostgresAway(t *testing.T) {
	t.Parallel()
	server, err := storetest.StartServer(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop() })
	flags := []string{"--data", e2etest.DataDir(t), "--store", server.URL}
	acc := e2etest.CreateAccount(t, flags...)
	node := e2etest.Serve(t, flags...)
	client := node.IAM(acc.Root())
	if status, text := e2etest.Get(t, node.Admin+"/readyz"); status != http.StatusOK {
		t.Errorf("readyz: %d %s", status, text)
	}
	for round := range 2 {
		k := e2etest.CreateKey(t, node, acc, fmt.Sprintf("carol-%d", round))
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			_, err := client.ListUsers(t.Context(), &iam.ListUsersInput{})
			checkServerError(t, err)
		}
		if status, text := e2etest.Get(t, node.Admin+"/readyz"); status != http.StatusServiceUnavailable ||
			!strings.Contains(text, "store: failed") {
			t.Errorf("readyz without a database: %d %s", status, text)
		}
		if status, _ := e2etest.Get(t, node.Admin+"/healthz"); status != http.StatusOK {
			t.Errorf("healthz without a database: %d", status)
		}
		if err := server.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		e2etest.WaitFor(t, "a call after the database is back", func() error {
			_, err := node.STS(k).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
			return err
		})
		if status, text := e2etest.Get(t, node.Admin+"/readyz"); status != http.StatusOK {
			t.Errorf("readyz after the database is back: %d %s", status, text)
		}
	}
	node.Stop()
}

// TestRefusesToStart starts the service with data that it must not, or cannot,
// use. It reports the error in one line.
func TestRefusesToStart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
		want  string
	}{
		{"data directory open to others", func(t *testing.T, dir string) { e2etest.Must(t, os.Chmod(dir, 0o755)) },
			"chmod 700"},
		{"read-only data directory", func(t *testing.T, dir string) { e2etest.Must(t, os.Chmod(dir, 0o500)) },
			"permission denied"},
		{"read-only database", func(t *testing.T, dir string) {
			e2etest.Must(t, os.Chmod(filepath.Join(dir, "rollcall.db"), 0o400))
		}, "permission denied"},
		{"unreadable master key", func(t *testing.T, dir string) {
			e2etest.Must(t, os.Chmod(filepath.Join(dir, "master.key"), 0))
		}, "master.key: permission denied"},
		{"no database but something else", func(t *testing.T, dir string) {
			e2etest.Must(t, os.WriteFile(filepath.Join(dir, "rollcall.db"),
				[]byte(strings.Repeat("not a database\n", 1000)), 0o600))
		}, "not a database"},
		{"directory where the trail should be", func(t *testing.T, dir string) {
			e2etest.Must(t, os.Remove(filepath.Join(dir, "trail.jsonl"))) // creating the account is on it
			e2etest.Must(t, os.Mkdir(filepath.Join(dir, "trail.jsonl"), 0o700))
		}, "open trail"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir, as := anyonesDir(t)
			data := filepath.Join(dir, "data")
			run := func(args ...string) (string, error) {
				cmd := exec.Command(e2etest.Binary, append(args, "--data", data)...)
				cmd.Env, cmd.Dir = e2etest.Environment(t), dir
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
				out, err := cmd.CombinedOutput()
				return string(out), err
			}
			if out, err := run("account", "create"); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			test.spoil(t, data)
			out, err := run("serve", "--listen", "127.0.0.1:0", "--admin-listen", "off")
			if err == nil || !strings.Contains(out, test.want) || strings.Count(out, "\n") != 1 ||
				!strings.HasPrefix(out, "rollcall: ") {
				t.Errorf("got %v and %q, want an error in one line with %q", err, out, test.want)
			}
		})
	}
}

// anyonesDir returns a directory, and the user that the binary must run as so
// that file modes have an effect, because root ignores them.
func anyonesDir(t *testing.T) (string, *syscall.Credential) {
	t.Helper()
	dir, err := os.MkdirTemp("", "rollcall-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if os.Getuid() != 0 {
		return dir, nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	e2etest.Must(t, os.Chown(dir, uid, gid))
	return dir, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

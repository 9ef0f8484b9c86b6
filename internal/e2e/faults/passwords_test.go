package faults

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/e2e/e2etest"
)

// canary is a password that must not be found anywhere.
const canary = "Canary-of-a-passw0rd"

// signIn signs in bob through the form of the console, and returns the status of
// the answer. 303 is a success.
func signIn(t *testing.T, p *e2etest.Process, a e2etest.Account) int {
	form := url.Values{"do": {"sign-in"}, "account": {a.AccountID}, "user": {"bob"}, "password": {canary}}
	at := strings.Replace(p.URL, "127.0.0.1", "localhost", 1)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at+"/console/sign-in",
		strings.NewReader(form.Encode()))
	if err != nil {
		t.Error(err)
		return 0
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", at)
	got, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Error(err)
		return 0
	}
	got.Body.Close()
	return got.StatusCode
}

// childOf finds the one child of a process, 0 for none.
func childOf(t *testing.T, p *e2etest.Process) int {
	t.Helper()
	all, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.Cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, children := range all {
		text, err := os.ReadFile(children)
		var id int
		if err == nil {
			if n, _ := fmt.Sscan(string(text), &id); n == 1 {
				return id
			}
		}
	}
	return 0
}

// aboutChild returns the child of a process and what /proc says about it, and nil
// if there is none, or if it still has the program and environment of its parent.
func aboutChild(t *testing.T, p *e2etest.Process) (child int, about map[string]string) {
	t.Helper()
	if child = childOf(t, p); child == 0 {
		return 0, nil
	}
	own, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.Cmd.Process.Pid))
	e2etest.Must(t, err)
	about = map[string]string{}
	for _, name := range []string{"cmdline", "environ", "limits"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", child, name))
		if err != nil || len(text) == 0 || bytes.Equal(text, own) {
			return 0, nil
		}
		about[name] = string(text)
	}
	return child, about
}

// signInByChild signs in bob and looks at the child that hashes his password. On a
// busy machine it does not live longer than that, because the service does not wait.
func signInByChild(t *testing.T, p *e2etest.Process, a e2etest.Account, when string) (
	child int, about map[string]string,
) {
	t.Helper()
	e2etest.WaitFor(t, "a process for passwords", func() error {
		ended := make(chan int, 1)
		go func() { ended <- signIn(t, p, a) }()
		status := 0
		for status == 0 && about == nil {
			select {
			case status = <-ended:
			case <-time.After(time.Millisecond):
			}
			child, about = aboutChild(t, p)
		}
		if status == 0 {
			status = <-ended
		}
		if status != http.StatusSeeOther {
			t.Errorf("%s: status %d", when, status)
		}
		if about == nil {
			return errors.New("there is none")
		}
		return nil
	})
	return child, about
}

// gone waits until a process has ended.
func gone(t *testing.T, id int) {
	t.Helper()
	e2etest.WaitFor(t, "the end of the process for passwords", func() error {
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", id)); err == nil && !strings.Contains(string(stat), ") Z ") {
			return fmt.Errorf("process %d lives", id)
		}
		return nil
	})
}

// The process that hashes passwords dies again and again, but everybody can
// sign in. It ends with the service, for whatever reason, and passwords are
// only in memory.
func TestProcessForPasswords(t *testing.T) {
	t.Parallel()
	data := e2etest.DataDir(t)
	a := e2etest.CreateAccount(t, "--data", data)
	p := e2etest.Serve(t, "--data", data)
	if id := childOf(t, p); id != 0 {
		t.Errorf("process %d was started before there was a password", id)
	}
	client, bob := p.IAM(a.Root()), aws.String("bob")
	_, err := client.CreateUser(t.Context(), &iam.CreateUserInput{UserName: bob})
	e2etest.Must(t, err)
	_, err = client.CreateLoginProfile(t.Context(),
		&iam.CreateLoginProfileInput{UserName: bob, Password: aws.String(canary)})
	e2etest.Must(t, err)

	stop, killed := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		defer func() { killed <- n }()
		for {
			select {
			case <-stop:
				return
			case <-time.After(30 * time.Millisecond):
				if id := childOf(t, p); id != 0 && syscall.Kill(id, syscall.SIGKILL) == nil {
					n++
				}
			}
		}
	}()
	for range 10 {
		if got := signIn(t, p, a); got != http.StatusSeeOther {
			t.Errorf("beside a process that dies: status %d", got)
		}
	}
	close(stop)
	if n := <-killed; n == 0 {
		t.Error("no process was killed")
	}

	child, about := signInByChild(t, p, a, "after that")
	for _, name := range []string{"cmdline", "environ"} {
		if strings.Contains(about[name], canary) || strings.Contains(about[name], "HOME=") {
			t.Errorf("%s: %q", name, about[name])
		}
	}
	if !strings.Contains(strings.Join(strings.Fields(about["limits"]), " "), "Max core file size 0 0") {
		t.Errorf("limits of the process: %s", about["limits"])
	}
	p.Kill()
	gone(t, child)
	if strings.Contains(p.Stderr.String(), canary) {
		t.Error("the log has a password")
	}
	e2etest.Must(t, filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte(canary)) {
			t.Errorf("%s has a password", path)
		}
		return err
	}))

	p = e2etest.Serve(t, "--data", data)
	child, _ = signInByChild(t, p, a, "after a crash")
	p.Stop()
	gone(t, child)
}

package awscli

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// result holds the output of a command.
type result struct {
	code           int
	stdout, stderr string
}

// bothWays runs a command in its own process and on a server.
func bothWays(t *testing.T, s *Server, c Command) (own, served result) {
	t.Helper()
	cmd := exec.Command(s.cli.Path, c.Args...)
	var out, errOut bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.Dir, c.Env, &out, &errOut
	code, err := exitCode(cmd.Run())
	if err != nil {
		t.Fatal(err)
	}
	own = result{code, out.String(), errOut.String()}
	out.Reset()
	errOut.Reset()
	if code, err = s.Run(c, &out, &errOut); err != nil {
		t.Fatal(err)
	}
	return own, result{code, out.String(), errOut.String()}
}

func start(t *testing.T) (CLI, *Server) {
	t.Helper()
	cli, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Start(cli)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	t.Logf("%s %s of %q", cli.Path, cli.Version, cli.python)
	return cli, s
}

// TestSameAsProcess compares the server's commands with processes: output,
// errors, exit codes, and requests.
func TestSameAsProcess(t *testing.T) {
	t.Parallel()
	_, s := start(t)
	var mu sync.Mutex
	var sent []string
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		credential, _, _ := strings.Cut(r.Header.Get("Authorization"), "/")
		mu.Lock()
		sent = append(sent, credential+" "+r.Form.Encode())
		mu.Unlock()
		if r.Form.Get("Action") == "GetUser" {
			w.WriteHeader(http.StatusNotFound)
			w.Write([]byte(`<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>nobody</Message></Error>` +
				`</ErrorResponse>`))
			return
		}
		w.Write([]byte(`<ListUsersResponse><ListUsersResult><Users><member><UserName>bo</UserName>` +
			`<CreateDate>2026-11-30T00:00:00Z</CreateDate></member></Users><IsTruncated>false</IsTruncated>` +
			`</ListUsersResult></ListUsersResponse>`))
	}))
	defer service.Close()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "input.json"), []byte(`{"PathPrefix": "/x/"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "PYENV_ROOT=" + os.Getenv("PYENV_ROOT"), "HOME=" + dir,
		"LC_ALL=C.UTF-8", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "AWS_SECRET_ACCESS_KEY=s", "AWS_ACCESS_KEY_ID="}
	for _, c := range []struct {
		key, zone string
		args      []string
	}{
		{"AKIAONE", "UTC", []string{"iam", "list-users"}},
		{"AKIATWO", "Asia/Tokyo", []string{"iam", "list-users", "--output", "text"}},
		{"AKIATWO", "UTC",
			[]string{"iam", "list-users", "--cli-input-json", "file://input.json", "--query", "Users[].UserName"}},
		{"AKIAONE", "UTC", []string{"iam", "get-user", "--user-name", "é"}},
		{"AKIAONE", "UTC", []string{"iam", "no-such-command"}},
		{"AKIAONE", "UTC", []string{"--version"}},
	} {
		mu.Lock()
		sent = nil
		mu.Unlock()
		env := append(slices.Clone(env), "AWS_ACCESS_KEY_ID="+c.key, "TZ="+c.zone)
		own, served := bothWays(t, s, Command{Args: append(c.args, "--endpoint-url", service.URL), Dir: dir, Env: env})
		if diff := cmp.Diff(own, served, cmp.AllowUnexported(result{})); diff != "" {
			t.Errorf("%q differs, process and server:\n%s", c.args, diff)
		}
		mu.Lock()
		sent := sent
		mu.Unlock()
		half := len(sent) / 2
		if diff := cmp.Diff(sent[:half], sent[half:]); diff != "" ||
			half > 0 && !strings.HasSuffix(strings.Fields(sent[half])[1], c.key) {
			t.Errorf("%q sent %q", c.args, sent)
		}
		if c.args[0] == "iam" && own.code == 0 && half == 0 {
			t.Errorf("%q sent nothing", c.args)
		}
	}
}

func TestFindPython(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	python := write("python3", "")
	real := write("real", "#!"+python+"\nimport awscli\n")
	write("pyenv", "#!/bin/sh\necho "+real+"\n")
	for _, c := range []struct{ path, script, python string }{
		{real, real, python},
		{write("debian", "#! "+python+" -s\n"), dir + "/debian", python},
		{write("env", "#!/usr/bin/env python3\n"), dir + "/env", python},
		{write("shims/aws", "#!/usr/bin/env bash\nexec pyenv exec aws\n"), real, python},
		{write("shell", "#!/bin/sh\n"), "", ""},
		{write("binary", "\x7fELF"), "", ""},
	} {
		if script, found := findPython(c.path); script != c.script || found != c.python {
			t.Errorf("%s: script %q, Python %q", c.path, script, found)
		}
	}
}

func TestVersions(t *testing.T) {
	for version, want := range map[string]struct {
		code      int
		endpoints bool
	}{"1.28.9": {255, false}, "1.45.11": {255, true}, "2.9.19": {254, false}, "2.13.0": {254, true}} {
		c := CLI{Version: version}
		if c.ServiceError() != want.code || c.ReadsEndpoints() != want.endpoints {
			t.Errorf("%s: exit code %d, endpoints %v", version, c.ServiceError(), c.ReadsEndpoints())
		}
	}
}

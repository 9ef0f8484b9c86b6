package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"rollcall/internal/awscli"
	"rollcall/internal/hashing"
	"rollcall/internal/testrun"
)

func TestMain(m *testing.M) {
	hashing.Main() // services of tests start this program
	testscript.Main(testrun.AtOnce(6, m), map[string]func(){"rollcall": checkedMain, "aws-by-server": awscli.Client})
}

// TestScripts runs the sessions of testdata. Each line that starts with the
// binary runs its own main in a separate process.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"ready": ready, "http": request, "code": exitCode, "valid": valid, "mode": mode,
		},
	})
}

// ready FILE VAR waits for a --ready-file and sets the variable to its content.
func ready(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ready FILE VAR")
	}
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if text, err := os.ReadFile(ts.MkAbs(args[0])); err == nil {
			ts.Setenv(args[1], strings.TrimSpace(string(text)))
			return
		}
	}
	ts.Fatalf("%s is not there after 2 minutes", args[0])
}

// http METHOD URL STATUS [HEADER:VALUE]... sends a request and prints the body.
func request(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: http METHOD URL STATUS [HEADER:VALUE]...")
	}
	r, err := http.NewRequest(args[0], args[1], nil)
	ts.Check(err)
	for _, header := range args[3:] {
		name, value, _ := strings.Cut(header, ":")
		r.Header.Set(name, value)
		if name == "Host" {
			r.Host = value
		}
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	ts.Check(err)
	defer response.Body.Close()
	_, err = io.Copy(ts.Stdout(), response.Body)
	ts.Check(err)
	if strconv.Itoa(response.StatusCode) != args[2] {
		ts.Fatalf("status %d, want %s", response.StatusCode, args[2])
	}
}

// code N rollcall ARGS... runs a command that must end with an exit code.
func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND [ARGS]...")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var ended *exec.ExitError
		if !errors.As(err, &ended) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = ended.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// mode PERM FILE... compares the permissions of files.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	for _, file := range args[1:] {
		info, err := os.Stat(ts.MkAbs(file))
		ts.Check(err)
		if got := strconv.FormatUint(uint64(info.Mode().Perm()), 8); got != args[0] {
			ts.Fatalf("%s has mode %s, want %s", file, got, args[0])
		}
	}
}

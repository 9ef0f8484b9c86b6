package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/subprocess"
)

// command runs a command line inside the test until stop is called, or until it
// ends.
func command(t *testing.T, env map[string]string, args ...string) (stop func() int, stderr *subprocess.Buffer) {
	t.Helper()
	stderr = &subprocess.Buffer{}
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{stdin: strings.NewReader(""), stdout: io.Discard, stderr: stderr,
		env: func(name string) string { return env[name] }}
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, p, args) }()
	stop = sync.OnceValue(func() int {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { stop() })
	return stop, stderr
}

// eventually waits until ok returns true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 2 minutes", what)
		}
	}
}

func readyURL(t *testing.T, file string) string {
	t.Helper()
	eventually(t, "ready", func() bool { _, err := os.Stat(file); return err == nil })
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// createAccount creates an account with the operator's command.
func createAccount(t *testing.T, data string) (id, secret string) {
	t.Helper()
	var out, errs bytes.Buffer
	p := &process{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, env: func(string) string { return "" }}
	if code := run(t.Context(), p, []string{"account", "create", "--data", data}); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	for line := range strings.Lines(out.String()) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "export AWS_ACCESS_KEY_ID="); ok {
			id = v
		}
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "export AWS_SECRET_ACCESS_KEY="); ok {
			secret = v
		}
	}
	return id, secret
}

func TestServe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, ready := filepath.Join(dir, "data"), filepath.Join(dir, "url")
	stop, stderr := command(t, map[string]string{"ROLLCALL_ADMIN_LISTEN": "127.0.0.1:0"},
		"serve", "--data", data, "--listen", "127.0.0.1:0", "--ready-file", ready,
		"--log-format", "text", "--trail-sync")
	url := readyURL(t, ready)
	_, admin, _ := strings.Cut(stderr.String(), "admin on ")
	admin, _, _ = strings.Cut(admin, ",")

	// An account that the operator creates can call at once.
	id, secret := createAccount(t, data)
	client := iam.New(iam.Options{
		BaseEndpoint: aws.String(url), Region: "eu-central-1",
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
	})
	if _, err := client.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("bill")}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/healthz": "ok\n", "/readyz": "store: ok\nmaster key: ok\ntrail: ok\n",
		"/metrics": `rollcall_request_duration_seconds_count{action="CreateUser",outcome="ok"} 1`,
	} {
		if got := get(t, admin+path); !strings.Contains(got, want) {
			t.Errorf("%s: %q", path, got)
		}
	}
	if got := get(t, admin+"/metrics"); !strings.Contains(got, "go_goroutines ") ||
		!strings.Contains(got, "process_open_fds ") {
		t.Errorf("no metrics of the process: %q", got)
	}

	// A missing master key file is reported before the next start needs it.
	key := filepath.Join(data, "master.key")
	if err := os.Rename(key, key+".away"); err != nil {
		t.Fatal(err)
	}
	if got := get(t, admin+"/readyz"); !strings.Contains(got, "store: ok\nmaster key: failed: load master key file ") {
		t.Errorf("/readyz without the master key file: %q", got)
	}
	if err := os.Rename(key+".away", key); err != nil {
		t.Fatal(err)
	}

	// After the trail was moved away, SIGHUP begins a new one.
	trail := filepath.Join(data, "trail.jsonl")
	if err := os.Rename(trail, trail+".1"); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a new trail", func() bool { _, err := os.Stat(trail); return err == nil })
	if _, err := client.ListUsers(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if old, err := os.ReadFile(trail + ".1"); err != nil || !strings.Contains(string(old), `"CreateUser"`) {
		t.Errorf("the old trail: %s %v", old, err)
	}
	if text, err := os.ReadFile(trail); err != nil || !strings.Contains(string(text), `"ListUsers"`) {
		t.Errorf("the new trail: %s %v", text, err)
	}

	// A key that the operator deletes is refused at once.
	var out bytes.Buffer
	p := &process{stdin: strings.NewReader(""), stdout: &out, stderr: &out, env: func(string) string { return "" }}
	account := accountOf(t, data)
	if code := run(t.Context(), p, []string{"account", "root-key", "delete", account, id, "--data", data}); code != 0 {
		t.Fatal(out.String())
	}
	if _, err := client.ListUsers(t.Context(), nil); err == nil ||
		!strings.Contains(err.Error(), "InvalidClientTokenId") {
		t.Errorf("a deleted key: %v", err)
	}
	var events []string // of the service and of the operator
	for _, r := range operatorRecords(t, trail) {
		events = append(events, r.EventName)
	}
	if got := strings.Join(events, " "); got != "ListUsers DeleteRootAccessKey Unknown" {
		t.Errorf("events %s", got)
	}
	if code := stop(); code != 0 {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if strings.Contains(stderr.String(), secret) {
		t.Error("a secret is in the log")
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func accountOf(t *testing.T, data string) string {
	t.Helper()
	var out bytes.Buffer
	p := &process{stdin: strings.NewReader(""), stdout: &out, stderr: &out, env: func(string) string { return "" }}
	if code := run(t.Context(), p, []string{"account", "list", "--data", data}); code != 0 {
		t.Fatal(out.String())
	}
	_, row, _ := strings.Cut(out.String(), "\n")
	return strings.Fields(row)[0]
}

// Uses of a key that were only in memory are written when the service stops.
func TestServeFlushesLastUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, ready := filepath.Join(dir, "data"), filepath.Join(dir, "url")
	id, secret := createAccount(t, data)
	begin := func(ready string) (*iam.Client, func() int) {
		stop, _ := command(t, nil, "serve", "--data", data, "--listen", "127.0.0.1:0", "--admin-listen",
			"off", "--ready-file", ready)
		return iam.New(iam.Options{
			BaseEndpoint: aws.String(readyURL(t, ready)), Region: "eu-central-1",
			Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
		}), stop
	}
	client, stop := begin(ready)
	key, err := client.CreateAccessKey(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	second := iam.New(iam.Options{
		BaseEndpoint: client.Options().BaseEndpoint, Region: "us-east-2",
		Credentials: credentials.NewStaticCredentialsProvider(*key.AccessKey.AccessKeyId,
			*key.AccessKey.SecretAccessKey, ""),
	})
	if _, err := second.ListUsers(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if code := stop(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	client, _ = begin(ready + "2")
	used, err := client.GetAccessKeyLastUsed(t.Context(),
		&iam.GetAccessKeyLastUsedInput{AccessKeyId: key.AccessKey.AccessKeyId})
	if err != nil {
		t.Fatal(err)
	}
	if got := aws.ToString(used.AccessKeyLastUsed.Region); got != "us-east-2" {
		t.Errorf("last used in %q", got)
	}
}

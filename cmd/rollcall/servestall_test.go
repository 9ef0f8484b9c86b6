package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// The collector of the trail stops reading its pipe. Calls end, reads are
// answered, changes are refused, the service reports that it is not ready, and
// it stops on request.
func TestServeWhileTrailStalls(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, ready, pipe := filepath.Join(dir, "data"), filepath.Join(dir, "url"), filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	id, secret := createAccount(t, data)
	stop, stderr := command(t, map[string]string{"ROLLCALL_ADMIN_LISTEN": "127.0.0.1:0"},
		"serve", "--data", data, "--listen", "127.0.0.1:0", "--ready-file", ready,
		"--log-format", "text", "--trail", pipe)
	url := readyURL(t, ready)
	_, admin, _ := strings.Cut(stderr.String(), "admin on ")
	admin, _, _ = strings.Cut(admin, ",")
	client := iam.New(iam.Options{
		BaseEndpoint: aws.String(url), Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
	})
	list := func() error { _, err := client.ListUsers(t.Context(), nil); return err }

	slowest := time.Duration(0)
	for end := time.Now().Add(time.Minute); slowest < time.Second; {
		begin := time.Now()
		if err := list(); err != nil {
			t.Fatal(err)
		}
		slowest = max(slowest, time.Since(begin))
		if time.Now().After(end) {
			t.Fatal("the pipe does not fill")
		}
	}
	begin := time.Now()
	if got := get(t, admin+"/readyz"); !strings.Contains(got, "trail: failed") {
		t.Errorf("/readyz: %s", got)
	}
	for range 20 {
		if err := list(); err != nil {
			t.Error(err)
		}
		_, err := client.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("bill")})
		var answer *awshttp.ResponseError
		if !errors.As(err, &answer) || answer.HTTPStatusCode() != http.StatusServiceUnavailable {
			t.Errorf("CreateUser: %v", err)
		}
	}
	if took := time.Since(begin); took > 30*time.Second { // each of them would wait for five
		t.Errorf("41 calls took %v: they waited for the trail", took)
	}
	begin = time.Now()
	if code := stop(); code != exitIncomplete || !strings.Contains(stderr.String(), "records were not written") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if took := time.Since(begin); took > grace {
		t.Errorf("stopped after %v", took)
	}
}

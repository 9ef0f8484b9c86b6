package main

import (
	"bufio"
	"context"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/demo"
)

// TestDevConsole signs in with the values that 'rollcall dev' prints. Before the
// first visit of a browser the account is empty.
func TestDevConsole(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	out, w := io.Pipe()
	code := make(chan int, 1)
	go func() {
		p := &process{
			stdin:  strings.NewReader(""),
			stdout: io.Discard,
			stderr: w,
			env:    func(string) string { return "" },
		}
		code <- run(ctx, p, []string{"dev", "--listen", "127.0.0.1:0"})
		w.Close()
	}()
	var said strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), "user demo") {
		said.WriteString(lines.Text() + "\n")
	}
	said.WriteString(lines.Text() + "\n")
	go func() { _, _ = io.Copy(io.Discard, out) }()
	found := regexp.MustCompile(`(?s)AWS_ENDPOINT_URL=(\S+).*at (http://localhost:\d+)/console/ for account (\d{12}):` +
		`\s+root\s+(\S+)\s+user demo\s+(\S+)`).FindStringSubmatch(said.String())
	if found == nil {
		t.Fatalf("it says:\n%s", said.String())
	}
	root := iam.NewFromConfig(aws.Config{
		BaseEndpoint: &found[1], Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	if users, err := root.ListUsers(ctx, nil); err != nil || len(users.Users) != 0 {
		t.Errorf("users before anybody visited: %v, %v", users, err)
	}
	for _, who := range [][]string{
		{"as", "root", "password", found[4]}, {"user", devUser, "password", found[5]},
	} {
		s, err := demo.NewBrowser(found[2])
		if err != nil {
			t.Fatal(err)
		}
		at, err := s.Send(ctx, "/console/sign-in", append(who, "do", "sign-in", "account", found[3])...)
		if err != nil || at != "/console/overview" {
			t.Errorf("%v is at %s, %v", who[:2], at, err)
		}
	}
	interrupt()
	if got := <-code; got != 0 {
		t.Errorf("exit code %d", got)
	}
}

package main

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// patient is an input that never has anything. began is closed when somebody reads.
type patient struct {
	once  sync.Once
	began chan struct{}
}

func (p *patient) Read([]byte) (int, error) {
	p.once.Do(func() { close(p.began) })
	select {}
}

// TestInterruptedInput checks that a command that waits for standard input ends when
// it is interrupted.
func TestInterruptedInput(t *testing.T) {
	t.Parallel()
	saved, err := filepath.Abs("../../report/testdata/users.csv")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"report -", "report - --output table", "audit -", "plan -", "diff - " + saved, "diff " + saved + " -",
		"trail verify --unsigned -", "restore - --data DIR/data",
		"review start - --into DIR/q --reviewer ana@example.com --deputy ben@example.com",
		"audit import-mutelist - --owner ana --ticket T-1 --expires 2099-01-31",
		"account control-policy put 123456789012 name - --data DIR/data",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			ctx, interrupt := context.WithCancel(t.Context())
			in := &patient{began: make(chan struct{})}
			var errs bytes.Buffer
			p := &process{stdin: in, stdout: io.Discard, stderr: &errs, env: func(string) string { return "" }}
			ended := make(chan int, 1)
			go func() { ended <- run(ctx, p, strings.Fields(strings.ReplaceAll(line, "DIR", t.TempDir()))) }()
			select {
			case <-in.began:
			case code := <-ended:
				t.Fatalf("it ended with %d before it read: %s", code, &errs)
			}
			interrupt()
			select {
			case code := <-ended:
				if code != exitInterrupted || !strings.HasSuffix(errs.String(), "rollcall: interrupted\n") {
					t.Errorf("it ended with %d: %s", code, &errs)
				}
			case <-time.After(2 * time.Minute):
				t.Error("it still waits")
			}
		})
	}
}

// TestInterruptedReport interrupts a command that shows a file.
func TestInterruptedReport(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	for _, output := range []string{"csv", "table", "json", "jsonl"} {
		var out, errs bytes.Buffer
		p := &process{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, env: func(string) string { return "" }}
		code := run(ctx, p, []string{"report", "../../report/testdata/users.csv", "--output", output})
		if code != exitInterrupted || errs.String() != "rollcall: interrupted\n" {
			t.Errorf("%s: it ended with %d: %s", output, code, &errs)
		}
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// logOutput collects lines. Timers write some of them.
type logOutput struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *logOutput) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *logOutput) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Lines that anybody can cause do not fill the disk, and every omitted line is
// counted.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out logOutput
		l := logFlags{level: "debug", format: "json"}
		log, err := l.open(&process{stderr: &out, env: func(string) string { return "" }})
		if err != nil {
			t.Fatal(err)
		}
		const lines = 20_000
		bad := errors.New(strings.Repeat("\x01\xff", 1<<20))
		for i := range lines {
			switch i % 3 {
			case 0:
				log.Warn("answer not delivered", "error", bad)
			case 1:
				log.With("a", 1).Error("internal error", "error", bad)
			case 2:
				log.Debug(fmt.Sprintf("http: from %d", i))
			}
			if i%5000 == 4999 {
				time.Sleep(time.Second)
			}
		}
		if n := len(out.String()); n > 4*(1<<20) {
			t.Errorf("%d bytes in four seconds", n)
		}
		time.Sleep(logSummary)
		synctest.Wait()
		written, counted := 0, 0
		for line := range strings.Lines(out.String()) {
			var r struct {
				Msg   string
				Lines int
			}
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			if len(line) > 2*maxLogText {
				t.Errorf("a line of %d bytes", len(line))
			}
			if counted += r.Lines; r.Msg != "log lines left out" {
				written++
			}
		}
		if written+counted != lines || written > 10*logOverall {
			t.Errorf("%d written and %d counted of %d", written, counted, lines)
		}
	})
}

// A flood of lines that clients cause does not hide that the trail is down:
// each second has a line about it, and its omitted lines are counted under its
// name.
func TestErrorsAreHeardInAFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out logOutput
		l := logFlags{level: "debug", format: "json"}
		log, err := l.open(&process{stderr: &out, env: func(string) string { return "" }})
		if err != nil {
			t.Fatal(err)
		}
		const seconds, each = 25, 200
		for second := range seconds {
			for i := range each {
				log.Debug(fmt.Sprintf("http: from %d.%d", second, i))
			}
			for range each {
				log.Error("trail is down")
			}
			if n := strings.Count(out.String(), `"msg":"trail is down"`); n != (second+1)*logPerMessage {
				t.Fatalf("%d lines after %d seconds", n, second+1)
			}
			time.Sleep(time.Second)
		}
		time.Sleep(logSummary)
		synctest.Wait()
		counted := 0
		for line := range strings.Lines(out.String()) {
			var r struct {
				Message string
				Lines   int
			}
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			if r.Message == "trail is down" {
				counted += r.Lines
			}
		}
		if want := seconds * (each - logPerMessage); counted != want {
			t.Errorf("%d lines counted, want %d", counted, want)
		}
	})
}

// Package requestidtest checks that lines of the log have the id of their
// request.
package requestidtest

import (
	"encoding/json"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
)

// background lists the beginnings of messages that belong to no request: they
// are about the process, its jobs and its connections.
var background = []string{
	"listening", "there is no account yet", "stopped", "reopen", "requests did not end in time",
	"TLS handshake failed", "cannot accept a connection", "http: ", "not ready", "log lines left out",
	"outbox not emptied", "records of a crash not recovered", "records written that a crash kept",
	"the trail is not whole", "data keys not replaced", "messages sealed by data keys not counted",
	"old rows not deleted", "keys of an identity provider not read", "no process for passwords",
	"the process for passwords ended", "create users of the console", "reset",
}

// Lacks returns the message of a line of JSON if the line lacks the id of a
// request, and "" otherwise. Text that is no line of the log lacks nothing.
func Lacks(line []byte) string {
	var r struct{ Level, Msg, RequestID string }
	if json.Unmarshal(line, &r) != nil || r.Level == "" || r.RequestID != "" ||
		slices.ContainsFunc(background, func(begin string) bool { return strings.HasPrefix(r.Msg, begin) }) {
		return ""
	}
	return r.Msg
}

// collector remembers the lines without an id.
type collector struct {
	mu      sync.Mutex
	lacking []string
	next    io.Writer
}

// New returns a log in JSON, of all levels, that writes to next. report fails the test for each line
// without an id; call it when the service has ended.
func New(next io.Writer) (log *slog.Logger, report func(testing.TB)) {
	l := &collector{next: next}
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug})), l.report
}

// Write takes one line.
func (l *collector) Write(line []byte) (int, error) {
	if message := Lacks(line); message != "" {
		l.mu.Lock()
		l.lacking = append(l.lacking, message)
		l.mu.Unlock()
	}
	return l.next.Write(line)
}

func (l *collector) report(t testing.TB) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.Sort(l.lacking)
	for _, message := range slices.Compact(l.lacking) {
		t.Errorf("the log has a line without the id of its request: %s", message)
	}
}

package main

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"
)

// Limits of the log. Everybody who can reach the service can cause lines.
// Therefore only the first lines of each second are written. The others are
// counted, and within ten seconds a line says how many there were.
const (
	logPerMessage = 10  // lines with one message per second
	logOverall    = 100 // lines of errors per second, and as many of others
	logSummary    = 10 * time.Second
	logMessages   = 50      // messages that are counted separately
	maxLogText    = 8 << 10 // bytes of one text: room for a stack
)

// boundedLog is a handler that enforces the limits. Errors have separate limits,
// so lines that clients cause cannot hide them.
type boundedLog struct {
	slog.Handler
	errors, others *logCount // shared with the handlers of WithAttrs and WithGroup
}

func newBoundedLog(h slog.Handler) boundedLog {
	return boundedLog{h, newLogCount(h), newLogCount(h)}
}

func (b boundedLog) Handle(ctx context.Context, r slog.Record) error {
	count := b.others
	if r.Level >= slog.LevelError {
		count = b.errors
	}
	if !count.admit(r) {
		return nil
	}
	return b.Handler.Handle(ctx, r)
}

func (b boundedLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return boundedLog{b.Handler.WithAttrs(attrs), b.errors, b.others}
}

func (b boundedLog) WithGroup(name string) slog.Handler {
	return boundedLog{b.Handler.WithGroup(name), b.errors, b.others}
}

// logCount counts the lines of a second, and the omitted lines.
type logCount struct {
	out slog.Handler

	mu      sync.Mutex
	second  int64
	written int
	of      map[string]int // no more messages than lines
	left    map[string]int
}

func newLogCount(out slog.Handler) *logCount {
	return &logCount{out: out, left: map[string]int{}}
}

func (c *logCount) admit(r slog.Record) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now().Unix(); now != c.second {
		c.second, c.written, c.of = now, 0, map[string]int{}
	}
	if c.written < logOverall && c.of[r.Message] < logPerMessage {
		c.written++
		c.of[r.Message]++
		return true
	}
	if len(c.left) == 0 {
		time.AfterFunc(logSummary, c.summarize)
	}
	message := r.Message
	if _, known := c.left[message]; !known && len(c.left) >= logMessages {
		message = "others"
	}
	c.left[message]++
	return false
}

func (c *logCount) summarize() {
	c.mu.Lock()
	left := c.left
	c.left = map[string]int{}
	c.mu.Unlock()
	for message, n := range left {
		r := slog.NewRecord(time.Now(), slog.LevelWarn, "log lines left out", 0)
		r.AddAttrs(slog.String("message", message), slog.Int("lines", n))
		_ = c.out.Handle(context.Background(), r)
	}
}

// boundText cuts a long text of a log line. A text that becomes much longer when
// it is escaped is cut further.
func boundText(_ []string, a slog.Attr) slog.Attr {
	var text string
	switch v := a.Value.Any().(type) {
	case string:
		text = v
	case error:
		text = v.Error()
	default:
		return a
	}
	if len(text) > maxLogText {
		text = text[:maxLogText]
	}
	if len(text) > maxLogText/8 && len(strconv.Quote(text)) > maxLogText*3/2 {
		text = text[:maxLogText/8]
	}
	a.Value = slog.StringValue(text)
	return a
}

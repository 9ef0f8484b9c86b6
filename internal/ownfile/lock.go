package ownfile

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

type noticeKey struct{}

// WithNotice returns a context that reports waiting. Code that waits for a lock
// under it calls say with the holder and the waiting time, after a second and
// then every ten seconds.
func WithNotice(ctx context.Context, say func(text string)) context.Context {
	return context.WithValue(ctx, noticeKey{}, say)
}

// Lock takes the lock at path, and creates its file if there is none. If
// another process holds the lock, Lock waits until the context ends. The file
// names the holder of the lock. The system drops the lock when the process ends
// for any reason.
func Lock(ctx context.Context, path string) (unlock func(), err error) {
	// Links are not followed, because the file is written.
	f, err := OpenScratch(path, os.O_RDWR|NoFollow)
	if err != nil {
		return nil, err
	}
	if err := wait(ctx, f); err != nil {
		f.Close()
		return nil, err
	}
	// This is for those who wait. The lock works even if it cannot name its
	// holder.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt([]byte(myself(time.Now())), 0)
	}
	return func() {
		_ = f.Truncate(0)
		f.Close()
	}, nil
}

const (
	lockPoll   = 20 * time.Millisecond
	firstSaid  = time.Second
	saidEvery  = 10 * time.Second
	maxHolding = 256
)

func wait(ctx context.Context, f *os.File) error {
	say, _ := ctx.Value(noticeKey{}).(func(string))
	began := time.Now()
	next := began.Add(firstSaid)
	for {
		held, err := tryLock(f)
		if err != nil {
			return &os.PathError{Op: "lock", Path: f.Name(), Err: err}
		}
		if !held {
			return nil
		}
		if say != nil && time.Now().After(next) {
			say(fmt.Sprintf("waiting for %s, which %s holds", f.Name(), holder(f)))
			next = next.Add(saidEvery)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited %s for %s, which %s holds: %w",
				time.Since(began).Round(time.Second), f.Name(), holder(f), ctx.Err())
		case <-time.After(lockPoll):
		}
	}
}

// myself returns the text about the holder in a lock's file: the process, the
// time, and the first words of its command, which contain no values.
func myself(now time.Time) string {
	command := []string{filepath.Base(os.Args[0])}
	for _, arg := range os.Args[1:] {
		if strings.HasPrefix(arg, "-") || len(command) > 2 || strings.ContainsAny(arg, "/:@") {
			break
		}
		command = append(command, arg)
	}
	return fmt.Sprintf("%d %s %s\n", os.Getpid(), now.UTC().Format(time.RFC3339), strings.Join(command, " "))
}

// holder returns it in words. A process of an earlier version writes nothing.
func holder(f *os.File) string {
	text := make([]byte, maxHolding)
	n, _ := f.ReadAt(text, 0)
	line, _, _ := strings.Cut(string(text[:n]), "\n")
	parts := strings.SplitN(line, " ", 3)
	if len(parts) != 3 {
		return "another process"
	}
	pid, err := strconv.Atoi(parts[0])
	since, err2 := time.Parse(time.RFC3339, parts[1])
	if err != nil || err2 != nil {
		return "another process"
	}
	return fmt.Sprintf("process %d (%s) since %s, for %s", pid, clean(parts[2]), parts[1],
		max(0, time.Since(since)).Round(time.Second))
}

// clean removes characters that could control a terminal.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, text)
}

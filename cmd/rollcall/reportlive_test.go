package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/fleet"
	"rollcall/internal/history"
)

func TestLivePicture(t *testing.T) {
	targets := make([]fleet.Target, 1000)
	for i := range targets {
		targets[i] = fleet.Target{Account: "123456789012"}
	}
	targets[1].Name = "payments, production, in a region far away from here"
	l := newLive(&process{}, false)
	l.targets, l.states, l.began = targets, make([]liveState, len(targets)), time.Now()
	now := l.began.Add(20 * time.Second)
	if got := l.picture(now, 80); !cmp.Equal(got, []string{"0 of 1,000 accounts, 20s", "[..................]"}) {
		t.Errorf("%q", got)
	}
	for i := range 8 {
		l.tell(i, "waiting for the report")
		l.states[i].since = l.began.Add(time.Duration(8-i) * time.Second)
	}
	l.tell(8, "asking")
	l.done(8, history.Outcome{Status: history.Denied})
	for i := 9; i < 258; i++ {
		l.done(i, history.Outcome{Status: history.OK})
	}
	want := []string{
		"250 of 1,000 accounts, 20s, about 1m0s left",
		"[####..............] 249 ok, 1 denied",
		"  123456789012: waiting for the report, 19s",
		"  123456789012: waiting for the report, 18s",
		"  123456789012: waiting for the report, 17s",
		"  123456789012: waiting for the report, 16s",
		"  123456789012: waiting for the report, 15s",
		"  123456789012: waiting for the report, 14s",
		"  and 2 more",
	}
	if d := cmp.Diff(want, l.picture(now, 80)); d != "" {
		t.Error(d)
	}
	l.facts = true
	l.saved(1)
	l.saved(2)
	const head = "reports: 2; facts of 250 of 1,000 accounts, 20s, about 1m0s left"
	if got := l.picture(now, 80)[0]; got != head {
		t.Errorf("got %q, want %q", got, head)
	}
	l.facts = false
	l.states[1].since = l.began
	for columns := range 130 {
		for _, line := range l.picture(now, columns) {
			if len(line) > max(1, columns-1) {
				t.Errorf("%d columns: %q", columns, line)
			}
		}
	}
	if line := l.picture(now,
		80)[2]; line != "  123456789012 payments, production, in a : waiting for the report, 20s" {
		t.Errorf("%q", line)
	}
}

func TestLiveErasesWhatItDrew(t *testing.T) {
	var b strings.Builder
	l := newLive(&process{}, false)
	l.w, l.targets, l.states, l.began = &b, make([]fleet.Target, 2), make([]liveState, 2), time.Now()
	l.draw()
	resume := l.pause()
	drawn := b.String()
	l.draw() // a prompt uses the terminal
	if b.String() != drawn {
		t.Errorf("%q", b.String())
	}
	const once = "\r\x1b[J0\n[\x1b[1A\r\x1b[J" // a builder has no columns
	if drawn != once {
		t.Errorf("%q", drawn)
	}
	resume()
	l.draw()
	l.end()
	if b.String() != once+once {
		t.Errorf("%q", b.String())
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 12345: "12,345", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}

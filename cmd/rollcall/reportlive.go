package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"rollcall/internal/fleet"
	"rollcall/internal/history"
)

// live shows the progress of a run at the bottom of a terminal: the number of
// finished accounts, their outcomes, the remaining time, and the accounts that it
// waits for. Without a terminal it shows nothing.
type live struct {
	w       io.Writer // nil without a terminal
	began   time.Time
	mu      sync.Mutex
	targets []fleet.Target
	states  []liveState
	counts  map[history.Status]int
	ended   int
	facts   bool // accounts are asked for facts when all reports are there
	reports int  // number of accounts that have their report and wait for facts
	asking  int  // number of prompts that use the terminal
	lines   int  // number of lines on the terminal now
	stop    chan struct{}
	drawing sync.WaitGroup
}

// liveState is the state of an account that is being fetched.
type liveState struct {
	what  string // "" before it starts, and when it is finished
	since time.Time
}

// mostLive is the number of accounts in progress that are shown.
const mostLive = 6

func newLive(p *process, quiet bool) *live {
	l := &live{counts: map[history.Status]int{}, stop: make(chan struct{})}
	if _, terminal := width(p.stderr); terminal && p.env("TERM") != "dumb" && !quiet {
		l.w = p.stderr
	}
	return l
}

func (l *live) start(targets []fleet.Target, facts bool) {
	l.targets, l.states, l.facts, l.began = targets, make([]liveState, len(targets)), facts, time.Now()
	if l.w != nil {
		l.drawing.Go(l.run)
	}
}

// tell, saved and done implement callbacks of a run.
func (l *live) tell(i int, what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.states[i]
	switch s.what = what; {
	case what == "":
		s.since = time.Time{}
	case s.since.IsZero():
		s.since = time.Now()
	}
}

func (l *live) saved(int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reports++
}

func (l *live) done(i int, o history.Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.states[i].what = ""
	l.counts[o.Status]++
	l.ended++
}

// pause removes the lines for a prompt. The returned function shows them again.
func (l *live) pause() (resume func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
	l.asking++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.asking--
	}
}

// end removes the lines.
func (l *live) end() {
	close(l.stop)
	l.drawing.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
}

func (l *live) run() {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
		}
		if time.Since(l.began) >= progressAfter {
			l.draw()
		}
	}
}

func (l *live) draw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asking > 0 {
		return
	}
	columns, _ := width(l.w)
	lines := l.picture(time.Now(), columns)
	_, _ = io.WriteString(l.w, l.erasure()+strings.Join(lines, "\n")) // in one write, to avoid flicker
	l.lines = len(lines)
}

func (l *live) clear() {
	if l.lines > 0 {
		_, _ = io.WriteString(l.w, l.erasure())
		l.lines = 0
	}
}

// erasure returns the text that removes the lines and moves the cursor to the
// first one.
func (l *live) erasure() string {
	up := ""
	if l.lines > 1 {
		up = fmt.Sprintf("\x1b[%dA", l.lines-1)
	}
	return up + "\r\x1b[J"
}

// picture returns the lines, each narrower than the terminal.
func (l *live) picture(now time.Time, columns int) []string {
	took := now.Sub(l.began)
	head := fmt.Sprintf("%s of %s, %s", thousands(l.ended), accountCount(len(l.targets)), took.Round(time.Second))
	if l.facts {
		head = "reports: " + thousands(l.reports) + "; facts of " + head
	}
	if left, ok := timeLeft(took, l.ended, len(l.targets)); ok {
		head += ", about " + left.String() + " left"
	}
	lines := []string{head, progressBar(l.ended, len(l.targets), min(columns/4, 30)) + statusCounts(l.counts, " ")}
	var under []int
	for i, s := range l.states {
		if s.what != "" {
			under = append(under, i)
		}
	}
	slices.SortStableFunc(under, func(a, b int) int { return l.states[a].since.Compare(l.states[b].since) })
	for _, i := range under[:min(len(under), mostLive)] {
		t, s := l.targets[i], l.states[i]
		name := t.Account
		if t.Name != "" {
			name += " " + t.Name
		}
		lines = append(lines,
			fmt.Sprintf("  %s: %s, %s", text.Trim(name, 40), s.what, now.Sub(s.since).Round(time.Second)))
	}
	if more := len(under) - mostLive; more > 0 {
		lines = append(lines, fmt.Sprintf("  and %s more", thousands(more)))
	}
	for i, line := range lines {
		lines[i] = text.Trim(line, max(1, columns-1))
	}
	return lines
}

// timeLeft estimates the time that the remaining accounts will take.
func timeLeft(took time.Duration, done, all int) (time.Duration, bool) {
	if done == 0 || done == all || took < 2*time.Second {
		return 0, false
	}
	left := time.Duration(float64(took) / float64(done) * float64(all-done))
	return left.Round(time.Second), left >= time.Second
}

func progressBar(done, all, columns int) string {
	inner := max(1, columns-2)
	full := 0
	if all > 0 {
		full = inner * done / all
	}
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", inner-full) + "]"
}

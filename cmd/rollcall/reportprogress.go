package main

import (
	"cmp"
	"fmt"
	"io"
	"sync"
	"time"

	"rollcall/internal/fleet"
)

// progress shows on a line of a terminal what the command is waiting for.
// Without a terminal it shows nothing.
type progress struct {
	w     io.Writer // nil without a terminal
	where string
	start time.Time
	mu    sync.Mutex
	what  string
	done  chan struct{}
	ended sync.WaitGroup
}

// progressAfter is the time after which progress is shown. Most commands end
// sooner.
const progressAfter = 400 * time.Millisecond

func startProgress(p *process, account *fleet.Account, quiet bool) *progress {
	g := &progress{where: cmp.Or(account.Endpoint(), "AWS"), start: time.Now(),
		what: "asking", done: make(chan struct{})}
	if _, terminal := width(p.stderr); !terminal || quiet || p.env("TERM") == "dumb" {
		return g
	}
	g.w = p.stderr
	g.ended.Go(g.draw)
	return g
}

func (g *progress) say(what string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.what = what
}

// end removes the line.
func (g *progress) end() {
	close(g.done)
	g.ended.Wait()
}

func (g *progress) draw() {
	const wheel = `|/-\`
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	shown := false
	for i := 0; ; i++ {
		select {
		case <-g.done:
			if shown {
				_, _ = fmt.Fprint(g.w, "\r\x1b[K")
			}
			return
		case <-tick.C:
		}
		took := time.Since(g.start)
		if took < progressAfter {
			continue
		}
		g.mu.Lock()
		what := g.what
		g.mu.Unlock()
		line := fmt.Sprintf("%c %s: %s, %ds", wheel[i%len(wheel)], g.where, what, int(took.Seconds()))
		if columns, _ := width(g.w); len(line) >= columns {
			line = line[:columns-1]
		}
		_, _ = fmt.Fprint(g.w, "\r\x1b[K"+line)
		shown = true
	}
}

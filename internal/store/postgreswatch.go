package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgresWatch notices that another server has taken over while the old one
// says nothing, not even that it is gone: its host hangs, or the network to it
// is cut. It asks the server over a connection of its own. If that one is
// silent and a new connection leads to another server, it closes all older
// ones: callers that wait there continue at the new one, instead of waiting for
// the deadline.
type postgresWatch struct {
	cfg   *pgx.ConnConfig
	links *links
	reset func()
	quit  context.CancelFunc
	ended chan struct{}
}

const (
	watchInterval = 500 * time.Millisecond
	// watchSilence bounds the time for an answer before a new connection is
	// tried.
	watchSilence = 700 * time.Millisecond
)

func startPostgresWatch(cfg *pgx.ConnConfig, links *links, reset func()) *postgresWatch {
	ctx, quit := context.WithCancel(context.Background())
	w := &postgresWatch{cfg: cfg, links: links, reset: reset, quit: quit, ended: make(chan struct{})}
	first := w.connect(ctx)
	go func() {
		defer close(w.ended)
		w.run(ctx, first)
	}()
	return w
}

func (w *postgresWatch) stop() {
	w.quit()
	<-w.ended
}

// probe is a connection of the watch's own.
type probe struct {
	c *pgx.Conn
	// server is the start time of its server, which distinguishes it from
	// others.
	server time.Time
}

func (w *postgresWatch) run(ctx context.Context, p *probe) {
	defer func() { p.end() }()
	var last time.Time // the start time of the last server
	for {
		if p != nil {
			last = p.server
		}
		select {
		case <-time.After(watchInterval):
		case <-ctx.Done():
			return
		}
		if p == nil {
			old := w.links.all()
			if p = w.connect(ctx); p != nil && !p.server.Equal(last) {
				w.leave(old)
			}
			continue
		}
		answer := p.ask(ctx)
		select {
		case err := <-answer:
			if err != nil {
				p.end()
				p = nil
			}
		case <-time.After(watchSilence):
			p = w.compare(ctx, p, answer)
		}
	}
}

// compare waits until the silent server answers or another one does. It returns
// the connection to continue with, nil for none.
func (w *postgresWatch) compare(ctx context.Context, p *probe, answer <-chan error) *probe {
	for ctx.Err() == nil {
		old := w.links.all()
		fresh := w.connect(ctx)
		if fresh != nil && !fresh.server.Equal(p.server) {
			w.leave(old)
			return fresh
		}
		fresh.end()
		select {
		case err := <-answer:
			if err == nil {
				return p
			}
			p.end()
			return nil
		case <-time.After(watchInterval / 2):
		}
	}
	p.end()
	return nil
}

// leave closes connections to an earlier server.
func (w *postgresWatch) leave(old []*link) {
	for _, k := range old {
		_ = k.Close()
	}
	w.reset()
}

// connect opens a probe, or returns nil.
func (w *postgresWatch) connect(ctx context.Context) *probe {
	hosts := 1 + len(w.cfg.Fallbacks)
	ctx, cancel := context.WithTimeout(ctx, time.Duration(hosts)*w.cfg.ConnectTimeout)
	defer cancel()
	c, err := pgx.ConnectConfig(ctx, w.cfg.Copy())
	if err != nil {
		return nil
	}
	p := &probe{c: c}
	err = c.QueryRow(ctx, "SELECT pg_postmaster_start_time()").Scan(&p.server)
	if err != nil && c.IsClosed() {
		return nil
	}
	return p // a server that does not tell is like all others
}

// ask sends a question. The answer comes at the latest when the probe ends.
func (p *probe) ask(ctx context.Context) <-chan error {
	answer := make(chan error, 1)
	go func() { answer <- p.c.Ping(context.WithoutCancel(ctx)) }()
	return answer
}

// end closes the connection without waiting for its server.
func (p *probe) end() {
	if p != nil {
		p.c.PgConn().Conn().Close()
	}
}

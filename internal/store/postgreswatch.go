package store

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// postgresWatch notices that another server has taken over while the old one
// sends nothing, not even an end of its connections: its host hangs, or the
// network to it is cut. It checks the server with a separate connection. If the
// server is silent and a new connection leads to another server, it closes all
// older connections. Their callers then continue at the new server instead of
// waiting for the deadline. If the URL names several hosts, a lookout for each
// notices a server that was promoted while the old one still answers.
type postgresWatch struct {
	cfg   *pgx.ConnConfig
	links *links
	reset func()
	quit  context.CancelFunc
	ended sync.WaitGroup
}

const (
	watchInterval = 500 * time.Millisecond
	// watchSilence is the time to wait for an answer before a new connection is
	// tried.
	watchSilence = 700 * time.Millisecond
)

func startPostgresWatch(cfg *pgx.ConnConfig, links *links, reset func()) *postgresWatch {
	ctx, quit := context.WithCancel(context.Background())
	w := &postgresWatch{cfg: cfg, links: links, reset: reset, quit: quit}
	first := w.connect(ctx)
	w.ended.Go(func() { w.run(ctx, first) })
	if hosts := addresses(&cfg.Config); len(hosts) > 1 {
		for _, host := range hosts {
			w.ended.Go(func() { w.lookout(ctx, host) })
		}
	}
	return w
}

func (w *postgresWatch) stop() {
	w.quit()
	w.ended.Wait()
}

// probe is the watch's own connection.
type probe struct {
	c *pgx.Conn
	// server is the start time of its server, which distinguishes servers.
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
				w.leave(w.others(old, p), p.server)
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
	for round := 1; ctx.Err() == nil; round++ {
		old := w.links.all()
		// Begin with a short time: the silent server is among the hosts, and
		// each round waits for it.
		fresh := w.connectWithin(ctx, min(time.Duration(round)*watchSilence, w.cfg.ConnectTimeout))
		if fresh != nil && !fresh.server.Equal(p.server) {
			w.leave(w.others(old, fresh), fresh.server)
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

// leave closes connections, unless they certainly lead to the new server.
func (w *postgresWatch) leave(old []*link, server time.Time) {
	for _, k := range old {
		if !w.links.lead(k, server) {
			_ = k.Close()
		}
	}
	w.reset()
}

// others are the connections that were open before a probe, and those that lead
// to another address.
func (w *postgresWatch) others(before []*link, p *probe) []*link {
	for _, k := range w.links.all() {
		if !p.sharesAddress(k) {
			before = append(before, k)
		}
	}
	return before
}

// connect opens a probe, or returns nil.
func (w *postgresWatch) connect(ctx context.Context) *probe {
	return w.connectWithin(ctx, w.cfg.ConnectTimeout)
}

// connectWithin opens a probe to the first host that accepts it within a time,
// and lets the pool begin with that host.
func (w *postgresWatch) connectWithin(ctx context.Context, each time.Duration) *probe {
	for _, h := range hostsOf(&w.cfg.Config) {
		if p := w.try(ctx, h, each); p != nil {
			w.links.first.Store(h)
			return p
		}
	}
	return nil
}

func (w *postgresWatch) try(ctx context.Context, h *pgconn.FallbackConfig, within time.Duration) *probe {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	cfg := w.cfg.Copy()
	cfg.Host, cfg.Port, cfg.TLSConfig, cfg.Fallbacks = h.Host, h.Port, h.TLSConfig, nil
	c, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil
	}
	p := &probe{c: c}
	err = c.QueryRow(ctx, "SELECT pg_postmaster_start_time()").Scan(&p.server)
	if err != nil && c.IsClosed() {
		return nil
	}
	return p // a server that does not support this counts as the same one
}

// sharesAddress reports whether a connection leads to the probe's address.
func (p *probe) sharesAddress(k *link) bool {
	return p.c.PgConn().Conn().RemoteAddr().String() == k.RemoteAddr().String()
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

package store

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// lineage says which history a server writes. A promotion begins a new timeline.
type lineage struct {
	system string // identifies the cluster
	// timeline is 0 if the server accepts no changes.
	timeline int
	// started distinguishes servers.
	started time.Time
}

// askLineage works for every user of PostgreSQL.
const askLineage = `SELECT system_identifier, CASE WHEN pg_is_in_recovery() THEN 0
	ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END,
	(extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint FROM pg_control_system()`

// lineageOf asks a server. The answer of a server that has no such functions is
// the zero lineage, which is never older than another.
func lineageOf(ctx context.Context, c *pgconn.PgConn) (lineage, error) {
	results, err := c.Exec(ctx, askLineage).ReadAll()
	if err != nil || len(results) != 1 || len(results[0].Rows) != 1 {
		if c.IsClosed() {
			return lineage{}, err
		}
		return lineage{}, nil
	}
	row := results[0].Rows[0]
	timeline, err := strconv.Atoi(string(row[1]))
	micro, wrong := strconv.ParseInt(string(row[2]), 10, 64)
	return lineage{string(row[0]), timeline, time.UnixMicro(micro)}, errors.Join(err, wrong)
}

// newestLineage is the newest one that any server has shown. A server with an
// older one of the same cluster has been replaced and may not know it: the
// program that should have stopped it hangs, or cannot reach it.
type newestLineage struct {
	mu sync.Mutex
	lineage
}

// saw notes a lineage. newer says that servers of older ones are in use no more.
func (n *newestLineage) saw(l lineage) (newer bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	same := l.system == n.system
	if l.timeline == 0 || same && l.timeline <= n.timeline {
		return false
	}
	n.lineage = l
	return same
}

func (n *newestLineage) replaced(l lineage) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return l.timeline > 0 && l.system == n.system && l.timeline < n.timeline
}

// errReplaced refuses a server, so that the next host is tried.
var errReplaced = errors.New("postgres: another server has been promoted since")

// validate refuses connections to replaced servers, besides what the URL refuses.
func (l *links) validate(also pgconn.ValidateConnectFunc) pgconn.ValidateConnectFunc {
	return func(ctx context.Context, c *pgconn.PgConn) error {
		if also != nil {
			if err := also(ctx, c); err != nil {
				return err
			}
		}
		seen, err := lineageOf(ctx, c)
		if err != nil {
			return err
		}
		if l.newest.saw(seen); l.newest.replaced(seen) {
			return errReplaced
		}
		l.leadsTo(c.Conn(), seen.started)
		return nil
	}
}

// leadsTo notes which server a connection leads to.
func (l *links) leadsTo(c net.Conn, server time.Time) {
	if encrypted, ok := c.(*tls.Conn); ok {
		c = encrypted.NetConn()
	}
	if k, ok := c.(*link); ok {
		l.mu.Lock()
		k.server = server
		l.mu.Unlock()
	}
}

// addresses returns the hosts of a configuration, each with its variants.
func addresses(cfg *pgconn.Config) (all [][]*pgconn.FallbackConfig) {
next:
	for _, h := range hostsOf(cfg) {
		for i, known := range all {
			if rank(h, known[0]) == 0 {
				all[i] = append(all[i], h)
				continue next
			}
		}
		all = append(all, []*pgconn.FallbackConfig{h})
	}
	return all
}

// lookout asks one host all the time for its lineage. When the host shows one
// that is newer than all others, connections to other hosts are closed.
func (w *postgresWatch) lookout(ctx context.Context, host []*pgconn.FallbackConfig) {
	var c *pgconn.PgConn
	for {
		select {
		case <-time.After(watchInterval):
		case <-ctx.Done():
			closeNow(c)
			return
		}
		if c == nil {
			if c = w.look(ctx, host); c == nil {
				continue
			}
		}
		within, cancel := context.WithTimeout(ctx, w.cfg.ConnectTimeout)
		seen, err := lineageOf(within, c)
		cancel()
		if err != nil {
			closeNow(c)
			c = nil
			continue
		}
		if w.links.newest.saw(seen) {
			w.links.first.Store(host[0])
			w.leave(w.links.all(), seen.started)
		}
	}
}

// look connects to a host, whatever its role.
func (w *postgresWatch) look(ctx context.Context, host []*pgconn.FallbackConfig) *pgconn.PgConn {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.ConnectTimeout)
	defer cancel()
	cfg := w.cfg.Config.Copy()
	cfg.ValidateConnect = nil
	// These connections are not among those that are closed when a server takes
	// over.
	cfg.DialFunc = (&net.Dialer{}).DialContext
	setHosts(cfg, host)
	c, err := pgconn.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil
	}
	return c
}

// closeNow closes a connection without waiting for its server.
func closeNow(c *pgconn.PgConn) {
	if c != nil {
		c.Conn().Close()
	}
}

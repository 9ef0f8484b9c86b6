package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// connectTimeout limits the time to connect to one host if the URL has no
// connect_timeout. A host that hangs delays the next one by this time.
const connectTimeout = 2 * time.Second

// leastConnections lets each of two reports read in one connection while a third
// stores what they have read.
const leastConnections = 3

// postgresConfig returns the configuration of the pool.
func postgresConfig(url string, c Config, links *links) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		// pgx's own text may carry the password of the URL.
		return nil, errors.New("unreadable PostgreSQL URL")
	}
	// pgx's own default is as many as cores, at least 4.
	if plain, err := pgx.ParseConfig(url); err == nil && plain.RuntimeParams["pool_max_conns"] == "" {
		cfg.MaxConns = 16
	}
	if cfg.MaxConns < leastConnections {
		return nil, fmt.Errorf("pool_max_conns=%d is too small: give at least %d", cfg.MaxConns, leastConnections)
	}
	if err := encrypted(&cfg.ConnConfig.Config, c.AllowPlain); err != nil {
		return nil, err
	}
	cfg.MaxConnIdleTime = 5 * time.Minute
	if cfg.ConnConfig.ConnectTimeout <= 0 {
		cfg.ConnConfig.ConnectTimeout = connectTimeout
	}
	cfg.ConnConfig.DialFunc = links.dial
	if len(addresses(&cfg.ConnConfig.Config)) > 1 {
		cfg.ConnConfig.ValidateConnect = links.validate(cfg.ConnConfig.ValidateConnect)
	}
	cfg.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
		links.order(&c.Config)
		return nil
	}
	// acquire does it, and drops one that does not answer immediately.
	cfg.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	return cfg, nil
}

// ErrPlainPostgres reports that secrets would go to the database in plain text.
var ErrPlainPostgres = errors.New("the connection to PostgreSQL would be plain text")

// encrypted removes from a configuration the attempts to connect in plain text
// to another machine, which sslmode prefer and allow include. Plain text must
// be requested explicitly, by sslmode=disable, and allowed.
func encrypted(cfg *pgconn.Config, allowed bool) error {
	all := hostsOf(cfg)
	tls := func(host string, port uint16) bool {
		return slices.ContainsFunc(all, func(f *pgconn.FallbackConfig) bool {
			return f.Host == host && f.Port == port && f.TLSConfig != nil
		})
	}
	var kept []*pgconn.FallbackConfig
	for _, f := range all {
		switch {
		case f.TLSConfig != nil || local(f.Host):
		case tls(f.Host, f.Port):
			continue
		case !allowed:
			return fmt.Errorf("%w to %s", ErrPlainPostgres, f.Host)
		}
		kept = append(kept, f)
	}
	setHosts(cfg, kept)
	return nil
}

// hostsOf returns the hosts of a configuration in the order in which they are
// tried.
func hostsOf(cfg *pgconn.Config) []*pgconn.FallbackConfig {
	first := &pgconn.FallbackConfig{Host: cfg.Host, Port: cfg.Port, TLSConfig: cfg.TLSConfig}
	return append([]*pgconn.FallbackConfig{first}, cfg.Fallbacks...)
}

func setHosts(cfg *pgconn.Config, hosts []*pgconn.FallbackConfig) {
	cfg.Host, cfg.Port, cfg.TLSConfig, cfg.Fallbacks = hosts[0].Host, hosts[0].Port, hosts[0].TLSConfig, hosts[1:]
}

// local reports whether a host is this machine, so nobody can listen on the way
// to it.
func local(host string) bool {
	ip := net.ParseIP(host)
	return strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || host == "localhost" ||
		ip != nil && ip.IsLoopback()
}

// links are the open connections to servers, of the pool and others.
type links struct {
	mu   sync.Mutex
	open map[*link]bool
	// silence limits the time for which a server may leave sent bytes
	// unacknowledged.
	silence time.Duration
	// first is the last host that accepted a connection, nil before that.
	// Connections try it first, so that a host that hangs does not delay each
	// of them.
	first atomic.Pointer[pgconn.FallbackConfig]
	// newest is the lineage of the server in use, unless it has been replaced.
	newest newestLineage
}

// order moves the last host that accepted a connection before the others.
func (l *links) order(cfg *pgconn.Config) {
	first := l.first.Load()
	if first == nil {
		return
	}
	hosts := hostsOf(cfg)
	slices.SortStableFunc(hosts, func(a, b *pgconn.FallbackConfig) int {
		return cmp.Compare(rank(a, first), rank(b, first))
	})
	setHosts(cfg, hosts)
}

// rank is 0 for the host itself and 1 for others.
func rank(h, first *pgconn.FallbackConfig) int {
	if h.Host == first.Host && h.Port == first.Port {
		return 0
	}
	return 1
}

// link is one of them.
type link struct {
	net.Conn
	of *links
	// server is the start time of its server, if known.
	server time.Time
}

func (l *links) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3},
		Control:         userTimeout(l.silence),
	}
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	k := &link{Conn: c, of: l}
	l.mu.Lock()
	l.open[k] = true
	l.mu.Unlock()
	return k, nil
}

// lead reports whether a link certainly leads to a server.
func (l *links) lead(k *link, server time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !server.IsZero() && k.server.Equal(server)
}

func (k *link) Close() error {
	k.of.mu.Lock()
	delete(k.of.open, k)
	k.of.mu.Unlock()
	return k.Conn.Close()
}

// all returns the links that are open now.
func (l *links) all() []*link {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []*link
	for k := range l.open {
		all = append(all, k)
	}
	return all
}

package store

import (
	"context"
	"crypto/tls"
	"errors"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// inspectPostgres reads over one connection, which cannot change anything. Its
// name is no node's, so an upgrade does not wait for it.
func inspectPostgres(ctx context.Context, cfg Config, in *Inspection) error {
	links := &links{open: map[*link]bool{}, silence: connectTimeout}
	pc, err := postgresConfig(cfg.URL, cfg, links)
	if err != nil {
		return err
	}
	pc.MaxConns, pc.MinConns = 1, 0
	pc.ConnConfig.RuntimeParams["application_name"] = "rollcall doctor"
	pc.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return err
	}
	defer pool.Close()
	err = pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		in.Encryption = encryptionOf(c.Conn().PgConn().Conn())
		return in.askPostgres(ctx, c)
	})
	if err != nil {
		return err
	}
	e := &postgres{pool: pool, patience: findOutPatience, checkIdle: checkIdle, knows: in.Knows}
	return e.view(ctx, func(c conn) error {
		tx := &Tx{ctx: ctx, c: c, dialect: postgresDialect}
		return in.read(tx, "SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 'goose_db_version'")
	})
}

// encryptionOf returns the state of a connection. Only a full verification finds
// a man in the middle; crypto/tls then knows the chain.
func encryptionOf(c net.Conn) Encryption {
	var e Encryption
	ip, isTCP := c.RemoteAddr().(*net.TCPAddr)
	e.Needed = isTCP && !ip.IP.IsLoopback()
	if secure, ok := c.(*tls.Conn); ok {
		state := secure.ConnectionState()
		e.Version, e.Verified = tls.VersionName(state.Version), len(state.VerifiedChains) > 0
	}
	return e
}

// askPostgres reads the server's settings. A server that only speaks the same
// protocol may not have them.
func (in *Inspection) askPostgres(ctx context.Context, c *pgxpool.Conn) error {
	var fsync, pages, commit string
	settings := `SELECT 'PostgreSQL ' || current_setting('server_version'), current_setting('fsync'),
		current_setting('full_page_writes'), current_setting('synchronous_commit'), pg_is_in_recovery(),
		current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int -
		(SELECT COUNT(*) FROM pg_stat_activity WHERE backend_type = 'client backend')`
	err := c.QueryRow(ctx, settings).Scan(&in.Server, &fsync, &pages, &commit, &in.ReadOnly, &in.Spare)
	var said *pgconn.PgError
	if errors.As(err, &said) {
		in.Server = "a server that speaks PostgreSQL's protocol"
		in.Spare = -1
		return nil
	}
	for _, s := range [][2]string{{"fsync", fsync}, {"full_page_writes", pages}, {"synchronous_commit", commit}} {
		if s[1] == "off" {
			in.Risks = append(in.Risks, s[0]+" = off")
		}
	}
	return err
}

package store

import (
	"context"

	"rollcall/internal/lazyregexp"
)

// ownPostgres matches what PostgreSQL itself says of its version. Servers that
// speak its protocol and keep their rows elsewhere may have its functions, but
// the snapshots that those name say nothing about the rows.
var ownPostgres = lazyregexp.New(`^PostgreSQL [0-9]+(\.[0-9]+)* (\([^()]*\) )?on `)

// stateSQL returns dialect.state, or "" if the server is not PostgreSQL itself.
func (e *postgres) stateSQL(ctx context.Context) string {
	var version string
	err := e.glance(ctx, func(c conn) error {
		r, err := c.query(ctx, "SELECT version()", nil)
		if err != nil {
			return err
		}
		return only(r, []any{&version})
	})
	if err != nil || !ownPostgres.MatchString(version) {
		return ""
	}
	return postgresDialect.state
}

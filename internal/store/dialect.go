package store

import (
	"encoding/json"
	"strings"
)

// dialect holds every difference of text between the engines.
type dialect struct {
	name string
	// schema turns the neutral words of the migrations into the engine's.
	schema *strings.Replacer
	// analyze, if the engine needs it, tells the planner about bulk loads
	// before it finds out by itself.
	analyze string
	// clock is an expression for the engine's own time in Unix milliseconds.
	// Leases are measured by it, so that nodes need not agree on the time.
	clock string
	// state is a query for the state of the database, "" if there is none; see
	// databaseState.
	state string
	// in is the condition that a text is in a list, which is the argument of the
	// placeholder %s. One statement then serves lists of any length.
	in string
	// each is a table of the texts in such a list, in a column named value.
	each string
	// places is a table of the triples of numbers in a JSON array, in the columns
	// chunk, start and size. The column place has their order.
	places string
	// list returns the argument for in and each.
	list func([]string) string
}

var sqliteDialect = dialect{
	name: "sqlite",
	schema: strings.NewReplacer(
		"BIGINT", "INTEGER",
		"BYTES", "BLOB",
		") CLUSTERED;", ") STRICT, WITHOUT ROWID;",
		") PLAIN;", ") STRICT;",
	),
	clock: "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
	in:    "IN (SELECT value FROM json_each(%s))",
	each:  "json_each(%s)",
	places: `(SELECT key AS place, value ->> 0 AS chunk, value ->> 1 AS start, value ->> 2 AS size
		FROM json_each(%s))`,
	list: func(all []string) string {
		list, _ := json.Marshal(all) // texts have no errors
		return string(list)
	},
}

var postgresDialect = dialect{
	name: "postgres",
	schema: strings.NewReplacer(
		// Keys are compared byte by byte on every engine, whatever the
		// database's locale: the report's order depends on it.
		"TEXT", `TEXT COLLATE "C"`,
		"BYTES", "BYTEA",
		") CLUSTERED;", ");",
		") PLAIN;", ");",
	),
	analyze: "ANALYZE",
	clock:   "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
	// A standby does not name the transactions that its snapshots do not see.
	state: `SELECT CAST(extract(epoch FROM pg_postmaster_start_time()) * 1000000 AS BIGINT),
		CAST(pg_current_snapshot() AS TEXT) WHERE NOT pg_is_in_recovery()`,
	in:   "= ANY(CAST(%s AS TEXT[]))",
	each: "(SELECT unnest(CAST(%s AS TEXT[])) AS value)",
	places: `(SELECT place, CAST(value ->> 0 AS BIGINT) AS chunk, CAST(value ->> 1 AS INTEGER) AS start,
		CAST(value ->> 2 AS INTEGER) AS size
		FROM json_array_elements(CAST(%s AS JSON)) WITH ORDINALITY AS e (value, place))`,
	list: postgresList,
}

// postgresList writes texts as a constant of the type TEXT[] (PostgreSQL, array
// input and output).
func postgresList(all []string) string {
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = `"` + quote.Replace(s) + `"`
	}
	return "{" + strings.Join(quoted, ",") + "}"
}

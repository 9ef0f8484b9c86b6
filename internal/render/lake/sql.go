package lake

import (
	_ "embed"
	"strings"

	"github.com/parquet-go/parquet-go"
)

//go:embed duckdb.sql
var duckDBText string

//go:embed athena.sql
var athenaText string

// duckDB returns the views for DuckDB.
func duckDB() string { return duckDBText }

// athena returns the tables and views for Athena. The columns of the tables are
// those of the files.
func athena() string {
	return strings.NewReplacer("{{reports}}", athenaColumns(reportSchema()), "{{findings}}",
		athenaColumns(findingSchema())).Replace(athenaText)
}

func athenaColumns(s *parquet.Schema) string {
	var lines []string
	for _, f := range s.Fields() {
		lines = append(lines, "  `"+f.Name()+"` "+athenaType(f))
	}
	return strings.Join(lines, ",\n")
}

func athenaType(f parquet.Field) string {
	switch t := f.Type().String(); {
	case !f.Leaf():
		return "array<string>"
	case strings.HasPrefix(t, "TIMESTAMP"):
		return "timestamp"
	case t == "STRING":
		return "string"
	case t == "BOOLEAN":
		return "boolean"
	case t == "INT(32,true)" || t == "INT32":
		return "int"
	default:
		return "bigint"
	}
}

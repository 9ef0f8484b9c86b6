// Package lake writes audited credential reports as a folder of Parquet files, which
// DuckDB, Athena, Spark and similar programs query as two tables:
//
//	reports/dt=2026-11-23/account_id=123456789012/2026-11-23T101500Z.parquet
//	findings/dt=2026-11-23/account_id=123456789012/2026-11-23T101500Z-cis-7.0.parquet
//	duckdb.sql    views for DuckDB, to be read in this folder
//	athena.sql    tables and views for Athena
//
// It promises:
//
//   - Times are timestamps and booleans are booleans. If a cell has no value the
//     column is null, and the column with the suffix _absence holds the reason,
//     which an auditor needs: N/A, no_information, not_supported, missing column or
//     malformed.
//   - A file is written completely or not at all. Another run over the same report
//     with the same benchmark replaces it. A run over another report adds files,
//     even if both are of one day.
//   - Account numbers are text, so they keep leading zeros.
//
// dt is the day, in UTC, on which the report was generated.
package lake

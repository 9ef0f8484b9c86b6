// Package history keeps credential reports in a folder. The folder records what
// was fetched, when and from whom, and which expected reports are missing. The
// folder alone is enough to audit, compare and show its reports offline.
//
//	reports/
//	  123456789012/
//	    2026-11-23T101500Z.csv    the report generated then, byte for byte
//	    2026-11-23T101500Z.json   where it came from, and its SHA-256
//	    outcome.json              what the last run did about this account
//	  profile-staging/
//	    outcome.json              the same, for a profile whose account is unknown
//
// Names of reports are times in UTC without colons, which Windows refuses. All
// other files in the folder are ignored.
//
// It promises:
//
//   - A report is written completely or not at all, and another report never
//     replaces it. Two different reports of one account with the same second
//     are an error, ErrDiffers.
//   - Every report that is read is checked against the SHA-256 of the bytes
//     that were fetched; see Snapshot.Read. A report that someone put there by
//     hand has no SHA-256; see Snapshot.Verifiable.
//   - An expected account is always recorded: its outcome is in the folder
//     before the first request for its report.
//
// Package report knows the content of reports, and package fleet fetches them.
// This package does neither.
package history

// Package history is a folder of credential reports: what was fetched, when,
// from whom, and what was to be fetched and was not. The folder is all there
// is; nothing else is needed to audit, compare and show its reports offline.
//
//	reports/
//	  123456789012/
//	    2026-11-23T101500Z.csv    the report generated then, byte for byte
//	    2026-11-23T101500Z.json   where it came from, and its SHA-256
//	    outcome.json              what the last run did about this account
//	  profile-staging/
//	    outcome.json              the same, of a profile that led to no account
//
// Names of reports are times in UTC without colons, which Windows refuses.
// Everything in the folder that does not look like this is left alone and not
// seen.
//
// It promises:
//
//   - A report is there whole or not at all, and is never replaced by another
//     one: two reports of one account that claim the same second and differ
//     are an error, ErrDiffers.
//   - What is read was checked against the SHA-256 that was taken when it
//     came; see Snapshot.Read. A report that someone put there by hand has
//     none, which Snapshot.Verifiable tells.
//   - An account that was expected never looks as if it had not been: its
//     outcome is in the folder before anything is asked of it.
//
// It knows nothing of what a report says (that is package report) nor of how
// to get one (package fleet).
package history

// Package diff compares the credential reports of an account. It finds the events
// of users and credentials between an older and a newer report, and the findings
// of an audit that are new, still open, or fixed.
//
// It promises:
//
//   - Credentials are matched by their user and their creation time, never by
//     their place in the row, which changes. If two were created in the same
//     second, the result says so.
//   - A missing value in one of the reports is never a change. A column that only
//     one report has is named in [Account.NotCompared].
//   - A finding that can no longer be judged is Unknown and not Fixed.
//   - A report that is damaged, belongs to another account, or has a user twice
//     is not compared at all, because missing rows would look like deleted users.
//   - Reports in AWS's order are read side by side, in memory that does not grow
//     with them. So is the history, which shows since when a finding is open.
//
// It does not find, fetch or choose reports.
package diff

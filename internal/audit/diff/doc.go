// Package diff compares the credential reports of an account: what happened to
// its users and credentials between an older and a newer one, and which
// findings of an audit are new, still open, or fixed since.
//
// It promises:
//
//   - Credentials are matched by their user and the time they were created, never
//     by their place in the row, which changes. Where two were made in the same
//     second the outcome says so.
//   - What one of the reports does not tell is never a change: a column that one
//     has and the other has not is named in [Account.NotCompared].
//   - A finding that can no longer be judged is Unknown, and not Fixed.
//   - A report that is damaged, of another account, or has a user twice is not
//     compared at all, since half of it would look like users gone.
//   - Reports in the order in which AWS writes them are walked side by side, in
//     memory that does not grow with them; so is the history that tells since
//     when a finding is open.
//
// It does not find, fetch or choose reports.
package diff

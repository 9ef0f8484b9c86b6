// Package audit judges credential reports.
//
// It promises:
//
//   - Every verdict counts from the moment the report was generated, or from the
//     moment asked for, and never from today's clock. An archived report gives
//     the same verdicts in ten years.
//   - PASS is what was shown. What the report does not say, or says in a way
//     nobody can read, is NO_DATA; what no report can say is MANUAL; and an
//     account whose report did not come is in the summary as incomplete.
//   - What is judged per credential is reported per credential, and names the
//     columns to blame.
//   - An exception hides nothing: the finding stays FAIL and is counted apart.
//   - Any size streams in memory that does not grow with the report.
//
// The rules are data, one [Control] each, beside one function each. It does not
// fetch, write files or compare reports: those are the packages fleet, render
// and audit/diff.
package audit

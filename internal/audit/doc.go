// Package audit judges credential reports.
//
// It promises:
//
//   - Every verdict counts from the time when the report was generated, or from
//     a requested time, and never from today's clock. An archived report has the
//     same verdicts in ten years.
//   - PASS requires evidence. If the report lacks the evidence, or it is
//     unreadable, the verdict is NO_DATA. If no report can contain it, the
//     verdict is MANUAL. An account without a report is incomplete in the
//     summary.
//   - Controls on credentials report each credential, and name the columns that
//     caused the verdict.
//   - An exception hides nothing: the finding stays FAIL and is counted
//     separately.
//   - Reports of any size are streamed. The memory does not grow with the
//     report.
//
// Each rule is a [Control], which is data, and a function. The package does not
// fetch reports, write files or compare reports: see the packages fleet, render
// and audit/diff.
package audit

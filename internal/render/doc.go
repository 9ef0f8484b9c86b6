// Package render writes credential reports and the findings of audits: as tables
// that fit a terminal, and in formats that other programs read.
//
// It promises:
//
//   - No text of a report can affect the terminal, the spreadsheet, the web page
//     or the build log that shows it. Characters that are not printable are
//     escaped.
//   - The memory does not grow with the audit. Findings are written as they
//     come, or are only counted.
//   - Every format shows the parts that could not be judged, in its own words.
//     No format omits them or shows them as passed.
//
// It does not judge. It shows the verdicts of package audit.
package render

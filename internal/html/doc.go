// Package html writes the outcome of an audit as one file for a browser, which
// needs nothing else: no network, no server, no second file.
//
// It promises:
//
//   - Nothing a report says acts upon the page: texts are data in a JSON
//     element, become text nodes, and the Content-Security-Policy lets nothing
//     run or load but the script and the style that are part of the file.
//   - Accounts without a report are in it, in red, before all others.
//   - Every credential an account's report shows is in it, with the findings
//     that are neither PASS nor NOT_APPLICABLE; see [Options.MaxCredentials].
//   - Dates are UTC, with their age in days at the moment that was judged for.
//
// It does not judge, and does not compare reports.
package html

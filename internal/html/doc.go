// Package html writes the result of an audit as one file for a browser. The file
// needs no network, no server and no second file.
//
// It promises:
//
//   - No text of a report can act on the page. Texts are data in JSON elements,
//     and become text nodes. The Content-Security-Policy allows only the script
//     and the style that are part of the file.
//   - Accounts without a report are in it, in red, before all others.
//   - Every figure is that of the audit, also of credentials that the page has no
//     room to list.
//   - It lists every credential that a report shows, with the findings that are
//     neither PASS nor NOT_APPLICABLE. Where there are too many it says which are
//     missing; see [Options.MaxCredentials].
//   - It offers commands and exceptions only for names that IAM accepts, so that
//     nobody pastes what a report made up.
//   - Dates are UTC. Ages count up to the time for which the audit judged.
//
// It does not judge, and does not compare reports.
package html

// Package html writes the result of an audit as one file for a browser. The file
// needs no network, no server and no second file.
//
// It promises:
//
//   - No text of a report can act on the page. Texts are data in JSON elements,
//     and become text nodes. The Content-Security-Policy allows only the script
//     and the style that are part of the file.
//   - Accounts without a report come before all others, in red.
//   - Every figure is that of the audit, and includes credentials that the page has
//     no room to list.
//   - The page lists every credential that a report shows, with the findings that
//     are neither PASS nor NOT_APPLICABLE. If there are too many credentials, it
//     says which are missing; see [Options.MaxCredentials].
//   - It offers commands and exceptions only for names that IAM accepts, so nobody
//     pastes an invented name from a report into a shell.
//   - Dates are UTC. Ages count up to the time for which the audit judged.
//
// It does not judge or compare reports.
package html

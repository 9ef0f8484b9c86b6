// Package review runs periodic access reviews over credential reports: it
// freezes a population, collects one decision for each credential from the
// reviewer of its user, and shows afterwards that the revocations happened.
//
// A review is a folder:
//
//	review/2026-Q4/
//	  review.json            the manifest: what was frozen, from where, for whom
//	  population.jsonl       every credential with the facts that were shown
//	  gone.jsonl             what the previous review had and this one has not
//	  reports/               the credential reports, byte for byte (package history)
//	  sheets/                a CSV file and an HTML page for each reviewer
//	  decisions/             the files of decisions that were accepted, byte for byte
//	  collected.json         which of them counts, and when it came
//	  later/, verified.json  the later reports, and what they show of revocations
//
// It promises:
//
//   - A population is complete: every user of every report is in it, and every
//     account that was expected and has no report is named.
//   - Nothing is accepted that does not match the frozen population. A file of
//     decisions is accepted as a whole or refused with a sentence for each reason.
//   - Nobody decides about a user of their own.
//   - Decisions are read from the accepted files whenever they are needed, and are
//     checked again each time.
//   - What is read from the folder, or from a pack of it, are regular files at the
//     names that the manifest has. A link or a name that leads elsewhere is refused.
//
// Texts of reports and of reviewers are data in everything that it writes.
package review

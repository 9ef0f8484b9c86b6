// Package report reads and writes the AWS IAM credential report: the CSV file
// with one row per user that GetCredentialReport returns.
//
// It makes three promises.
//
// Different reasons for a missing value stay distinct. A date that does not
// apply ("N/A"), a date that was never recorded ("no_information"), a date that
// the service does not provide ("not_supported"), a missing column, and an
// unreadable cell are five different values, because an auditor must treat them
// differently. They stay distinct in [Time], [Bool] and [Text], in JSON, and
// when a row is written again. The zero [Row] is a user without any credential.
//
// Bytes are exact. [Writer] writes the same bytes as AWS: the header first,
// lines separated by LF with none after the last, lower-case booleans, times
// such as 2026-09-11T13:14:52Z, and quotes only where RFC 4180 needs them. A
// name that looks like a spreadsheet formula is written unchanged. A program
// that opens the file in a spreadsheet must make it safe.
//
// Reports of any size are streamed in constant memory. Reading or writing a
// million rows takes a fraction of a second. [Reader] limits the cost of a
// single row, so a hostile or broken file causes an error with its line and
// column and does not exhaust the machine.
//
// The reader uses the header, so it reads the 16 columns of 2014, the 22 of
// today, the 23 of the documentation and unknown columns, in any order. It
// refuses a file that is not a report or is damaged. It keeps a single cell
// that it does not understand and marks it [Malformed]. The package does not
// judge: it contains no rules of an audit.
package report

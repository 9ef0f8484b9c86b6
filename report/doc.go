// Package report reads and writes the AWS IAM credential report: the CSV file
// with one row per user that GetCredentialReport returns.
//
// It promises three things.
//
// Nothing is folded together. A date that does not apply ("N/A"), one that was
// never recorded ("no_information"), one the service does not give
// ("not_supported"), a column the file does not have, and a cell nobody can
// read are five different answers, because an auditor must answer them
// differently. They stay apart in [Time], [Bool] and [Text], in JSON, and when
// a row is written again. The zero [Row] is a user without any credential.
//
// Bytes are faithful. [Writer] gives what AWS gives: the header first, lines
// separated by LF with none after the last, lower-case booleans, times such as
// 2026-09-11T13:14:52Z, quotes only where RFC 4180 needs them. A name that
// looks like a spreadsheet formula is written as it is; making a file safe for
// a spreadsheet is the work of whoever offers it to one.
//
// Any size streams in constant memory. A million rows take a fraction of a
// second each way, and [Reader] bounds what a single row may cost, so that a
// hostile or broken file ends in an error with its line and column and not in
// an exhausted machine.
//
// The reader goes by the header, so that the 16 columns of 2014, the 22 of
// today, the 23 of the documentation and columns yet unknown are read alike, in
// any order. It refuses a file that is no report or is damaged as a file; a
// single cell it cannot understand is kept as it is and marked [Malformed].
// What it does not do is judge: no rule of an audit is here.
package report

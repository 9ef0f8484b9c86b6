// Package render holds how a credential report, and what an audit found in it,
// leave for a reader: as tables that fit a terminal, and in the formats other
// programs read.
//
// It promises:
//
//   - Nothing in a report can act upon the terminal it is shown on: whatever is
//     no printable character is shown as an escape; nor upon the spreadsheet,
//     the web page or the build log a file of it is opened in.
//   - An audit of any size leaves in memory that does not grow with it: findings
//     are written as they come, or not at all and counted.
//   - What could not be judged is said in every format in the words that format
//     has for it, and is nowhere left out or shown as passed.
//
// It refuses to judge: it shows what package audit says.
package render

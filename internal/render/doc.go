// Package render is how a credential report leaves for a reader: as a table
// that fits a terminal, as JSON, or as lines.
//
// It promises that nothing in a report can act upon the terminal it is shown
// on: whatever is no printable character is shown as an escape. It refuses to
// judge: colour says that something is absent or off, and no more.
package render

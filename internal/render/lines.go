package render

import (
	"bytes"
	"iter"
)

// Lines returns the lines of a report as Get-IAMCredentialReport -SplitLines
// (alias of -AsTextArray) does, which reads them with .NET's
// StreamReader.ReadLine: a line ends with LF, CR or CRLF, none of which is part
// of it; there is no empty line after the last line's end; and a byte order
// mark is dropped. They are lines, not rows: a quoted cell that contains a line
// end is split.
func Lines(content []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		rest := bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
		for len(rest) > 0 {
			end := bytes.IndexAny(rest, "\r\n")
			if end < 0 {
				yield(rest)
				return
			}
			line := rest[:end:end]
			if rest[end] == '\r' && end+1 < len(rest) && rest[end+1] == '\n' {
				end++
			}
			rest = rest[end+1:]
			if !yield(line) {
				return
			}
		}
	}
}

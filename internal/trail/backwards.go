package trail

import (
	"bytes"
	"context"
	"io"
)

// backwards reads the lines of files, the last one first.
type backwards struct {
	budget int64 // bytes that may still be read
	// line is called with each line, and says whether to continue. block is called
	// before the text of the last lines is overwritten.
	line  func([]byte) bool
	block func()
}

// over says whether the time for a search is over. That is not an error: the
// records that were found are the answer.
func over(ctx context.Context) bool { return ctx.Err() != nil }

// read reads a file. It says whether the start of the file was reached and more
// may be found before it. Of the text after the last line break it knows
// nothing: it may be half a line.
func (b *backwards) read(ctx context.Context, f io.ReaderAt, size int64) (more bool, err error) {
	defer b.block()
	// text begins with the end of a line whose beginning is not read yet.
	text := make([]byte, 0, lookupBlock+maxLine)
	torn := true // the end of that line is missing
	for size > 0 {
		n := min(size, lookupBlock, b.budget)
		if n == 0 || over(ctx) {
			return false, nil
		}
		b.block()
		rest := len(text)
		text = text[:rest+int(n)]
		copy(text[n:], text[:rest])
		if _, err := f.ReadAt(text[:n], size-n); err != nil {
			return false, err
		}
		size, b.budget = size-n, b.budget-n
		for i := bytes.LastIndexByte(text, '\n'); i >= 0; i = bytes.LastIndexByte(text, '\n') {
			line := text[i+1:]
			text = text[:i]
			if !torn && !b.line(line) {
				return false, nil
			}
			torn = false
		}
		if len(text) > maxLine {
			text, torn = text[:0], true // no record is so long
		}
	}
	return torn || b.line(text), nil
}

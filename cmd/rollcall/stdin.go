package main

import (
	"context"
	"io"
	"os"
	"sync"

	"golang.org/x/term"
)

// input is standard input. A read ends when the context does, because a terminal or
// a pipe may never have more.
type input struct {
	ctx  context.Context
	from io.Reader

	begin sync.Once
	pipe  *io.PipeReader
}

func (in *input) Read(b []byte) (int, error) {
	in.begin.Do(func() {
		r, w := io.Pipe()
		in.pipe = r
		go func() {
			_, err := io.Copy(w, in.from)
			_ = w.CloseWithError(err)
		}()
		context.AfterFunc(in.ctx, func() { _ = w.CloseWithError(in.ctx.Err()) })
	})
	return in.pipe.Read(b)
}

// terminal returns standard input if it is a terminal, or nil.
func (p *process) terminal() *os.File {
	from := p.stdin
	if in, ok := from.(*input); ok {
		from = in.from
	}
	if f, isFile := from.(*os.File); isFile && term.IsTerminal(int(f.Fd())) {
		return f
	}
	return nil
}

package reports

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
)

// digester passes a file on to a reader, and digests it at the same time in a
// goroutine of its own. That takes as long as a third of an audit.
type digester struct {
	*io.PipeReader
	stop context.CancelFunc
	done chan struct{}
	sum  string
	err  error
}

func digest(ctx context.Context, file io.Reader) *digester {
	ctx, stop := context.WithCancel(ctx)
	r, w := io.Pipe()
	d := &digester{PipeReader: r, stop: stop, done: make(chan struct{})}
	go func() {
		defer close(d.done)
		d.sum, d.err = pass(ctx, file, w)
	}()
	return d
}

// pass copies a file and returns its digest. It reads to the end of the file, even
// if nobody reads the copy to its end.
func pass(ctx context.Context, file io.Reader, w *io.PipeWriter) (string, error) {
	h, buffer := sha256.New(), make([]byte, 64<<10)
	for {
		n, err := file.Read(buffer)
		h.Write(buffer[:n])
		_, _ = w.Write(buffer[:n]) // fails at once after the reader was closed
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			continue
		}
		w.CloseWithError(err)
		if !errors.Is(err, io.EOF) {
			return "", err
		}
		return hex.EncodeToString(h.Sum(nil)), nil
	}
}

// wait returns the digest of the whole file.
func (d *digester) wait() (string, error) {
	_ = d.PipeReader.Close()
	<-d.done
	return d.sum, d.err
}

// end stops reading.
func (d *digester) end() {
	d.stop()
	_, _ = d.wait()
}

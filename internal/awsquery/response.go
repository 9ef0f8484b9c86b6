package awsquery

import (
	"encoding/base64"
	"fmt"
	"io"
)

// ContentType is the Content-Type of answers in XML, without a charset, as on
// AWS.
const ContentType = "text/xml"

// Blob is an output member that is streamed. It replaces the SDK's []byte in
// one of our own output structures.
type Blob struct {
	// Size is the exact number of bytes that WriteTo writes, before Base64.
	Size int64
	// WriteTo writes the bytes. Nil means that the member is absent.
	WriteTo func(w io.Writer) error
}

// Response is an answer that can be sent once.
type Response struct {
	// Status is the HTTP status.
	Status int
	// ContentType is ContentType, JSONContentType or JSON11ContentType.
	ContentType string

	text []byte
	blob *Blob // written as Base64 after text[:at], if not nil
	at   int
}

// Len returns the exact number of bytes that WriteTo writes: the
// Content-Length.
func (r *Response) Len() int64 {
	n := int64(len(r.text))
	if r.blob != nil {
		n += (r.blob.Size + 2) / 3 * 4
	}
	return n
}

// WriteTo writes the answer to w and returns the number of bytes written. If a
// stream has more or fewer bytes than its size, it returns an error. The answer
// is then incomplete, and the connection must be broken.
func (r *Response) WriteTo(w io.Writer) (int64, error) {
	if r.blob == nil {
		n, err := w.Write(r.text)
		return int64(n), err
	}
	n, err := w.Write(r.text[:r.at])
	written := int64(n)
	if err != nil {
		return written, err
	}
	b := newBase64Writer(w, r.blob.Size)
	err = r.blob.WriteTo(b)
	if err == nil {
		err = b.close()
	}
	written += b.written
	if err != nil {
		return written, fmt.Errorf("write streamed answer: %w", err)
	}
	n, err = w.Write(r.text[r.at:])
	return written + int64(n), err
}

// chunk is the number of bytes that are encoded at a time. It is a multiple of
// three, so that there is no padding between chunks.
const chunk = 12 << 10

// base64Writer encodes the written bytes in constant memory. encoding/base64's
// own writer works in pieces of 1 KiB, with one write each.
type base64Writer struct {
	w       io.Writer
	left    int64 // bytes that are still expected
	written int64 // bytes written to w
	in      []byte
	out     []byte
	err     error // the first error of w or of the stream
}

func newBase64Writer(w io.Writer, size int64) *base64Writer {
	length := int(min(size, chunk))
	return &base64Writer{
		w: w, left: size,
		out: make([]byte, base64.StdEncoding.EncodedLen(length)),
	}
}

func (b *base64Writer) Write(p []byte) (int, error) {
	if more := int64(len(p)) - b.left; more > 0 && b.err == nil {
		b.err = fmt.Errorf("stream is %d bytes longer than its size", more)
	}
	if b.err != nil {
		return 0, b.err
	}
	b.left -= int64(len(p))
	total := len(p)
	for len(p) > 0 && b.err == nil {
		if len(b.in) == 0 && len(p) >= chunk {
			b.emit(p[:chunk])
			p = p[chunk:]
			continue
		}
		if b.in == nil {
			b.in = make([]byte, 0, len(b.out)/4*3)
		}
		n := min(cap(b.in)-len(b.in), len(p))
		b.in = append(b.in, p[:n]...)
		p = p[n:]
		if len(b.in) == cap(b.in) {
			b.emit(b.in)
			b.in = b.in[:0]
		}
	}
	if b.err != nil {
		return 0, b.err
	}
	return total, nil
}

func (b *base64Writer) emit(p []byte) {
	size := base64.StdEncoding.EncodedLen(len(p))
	base64.StdEncoding.Encode(b.out[:size], p)
	var n int
	n, b.err = b.w.Write(b.out[:size])
	b.written += int64(n)
}

// close writes the rest, padded.
func (b *base64Writer) close() error {
	if b.err == nil && b.left > 0 {
		b.err = fmt.Errorf("stream is %d bytes shorter than its size", b.left)
	}
	if b.err == nil && len(b.in) > 0 {
		b.emit(b.in)
	}
	return b.err
}

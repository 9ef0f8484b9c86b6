// Package intake reads credential reports in the forms that people have: CSV, also
// in UTF-16, with PowerShell's "#TYPE" line, compressed by gzip or zstd, or in
// base64; and the answer of GetCredentialReport as JSON of the AWS CLI or
// PowerShell.
//
// It promises:
//
//   - A file that is not a credential report causes an *Error, which says what the
//     file looks like and what to do. No part of it is used as a report.
//   - A plain CSV is not held in memory. Everything else is, up to Limit.
package intake

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/klauspost/compress/zstd"

	"rollcall/report"
)

// Limit is the maximum number of bytes that are unpacked or converted. A report of
// a million users has half as many.
const Limit = 512 << 20

// Head is the number of bytes by which Read recognizes a file. The buffer of its
// reader must hold that many.
const Head = 64 << 10

// mostLayers limits how often a report may be packed or converted.
const mostLayers = 4

// File is a report that was found.
type File struct {
	// Content is the CSV. It is nil if the file itself is the CSV. Then Read has
	// consumed none of it.
	Content []byte
	// Generated is the time when the report was generated, zero if the file does not
	// contain it.
	Generated time.Time
}

// Error says that a file is not a credential report.
type Error struct {
	Looks string // what it looks like
	Do    string // what to do
}

func (e *Error) Error() string {
	return "this is not a credential report: it looks like " + e.Looks + "; " + e.Do
}

// errTooLong says that the content is longer than Limit.
var errTooLong = fmt.Errorf("it unpacks to more than %d MiB", Limit>>20)

// Read finds the report in a file. The reader's buffer has at least Head bytes.
// Errors are *Error, or those of the reader.
func Read(r *bufio.Reader) (File, error) { return reader{limit: Limit}.read(r, 0) }

// reader reads one file. It holds no more of it than the limit.
type reader struct{ limit int64 }

// The first bytes of files that are not text.
var (
	magicGzip = []byte("\x1f\x8b")
	magicZstd = []byte("\x28\xb5\x2f\xfd")
	markUTF8  = []byte("\xef\xbb\xbf")
	markLE    = []byte("\xff\xfe")
	markBE    = []byte("\xfe\xff")
)

func (x reader) read(r *bufio.Reader, layer int) (File, error) {
	head, err := r.Peek(Head)
	if err != nil && err != io.EOF {
		return File{}, err
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, markUTF8), " \t\r\n")
	switch {
	case len(text) == 0:
		return File{}, &Error{"an empty file", "fetch the report again"}
	case layer == mostLayers:
		return File{}, &Error{"a file that is packed over and over", "unpack it first"}
	case bytes.HasPrefix(head, magicGzip):
		unpacked, err := gzip.NewReader(r)
		if err != nil {
			return File{}, damaged("gzip", err)
		}
		return x.unpacked(unpacked, "gzip", layer)
	case bytes.HasPrefix(head, magicZstd):
		unpacked, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20))
		if err != nil {
			return File{}, damaged("zstd", err)
		}
		defer unpacked.Close()
		return x.unpacked(unpacked, "zstd", layer)
	case bytes.HasPrefix(head, markLE):
		return x.utf16(r, binary.LittleEndian, layer)
	case bytes.HasPrefix(head, markBE):
		return x.utf16(r, binary.BigEndian, layer)
	case text[0] == '{', text[0] == '[' && !bytes.HasPrefix(text, []byte("[Content_Types]")):
		return x.json(r, layer)
	case bytes.HasPrefix(text, []byte("#TYPE")):
		return x.typed(r, layer)
	case isBase64(text):
		return x.base64(r, layer)
	}
	rd, err := report.NewReader(bytes.NewReader(head))
	switch {
	case err != nil:
		return File{}, looksLike(head, text, err)
	case isForeign(rd.Columns()):
		return File{}, &Error{"a table of something else, which also has the columns user and arn", wantCSV}
	}
	return File{}, nil
}

// isForeign says whether a file has columns, but none that a report has, except those
// that name the user. A list of findings is such a file.
func isForeign(columns report.Columns) bool {
	unknown := false
	for _, name := range columns.Names() {
		c, known := report.FindColumn(name)
		if known && c.Kind != report.NameKind {
			return false
		}
		unknown = unknown || !known
	}
	return unknown
}

func damaged(form string, err error) *Error {
	return &Error{"a " + form + " file that is damaged or cut off (" + err.Error() + ")", "fetch it again"}
}

// all reads the rest, up to the limit.
func (x reader) all(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, x.limit+1))
	if err == nil && int64(len(text)) > x.limit {
		err = errTooLong
	}
	return text, err
}

// content continues with the content that was found inside.
func (x reader) content(text []byte, layer int) (File, error) {
	f, err := x.read(bufio.NewReaderSize(bytes.NewReader(text), Head), layer+1)
	if err == nil && f.Content == nil {
		f.Content = text
	}
	return f, err
}

// unpacked continues with the output of a decompressor. It checks the head first,
// so that only a report is unpacked.
func (x reader) unpacked(r io.Reader, form string, layer int) (File, error) {
	buffered := bufio.NewReaderSize(io.LimitReader(r, x.limit+1), Head)
	f, err := x.read(buffered, layer+1)
	if err == nil && f.Content == nil {
		f.Content, err = x.all(buffered)
	}
	var no *Error
	switch {
	case err == nil || errors.As(err, &no):
		return f, err
	case errors.Is(err, errTooLong):
		return File{}, &Error{"a " + form + " file of something else: " + err.Error(), wantCSV}
	}
	return File{}, damaged(form, err)
}

// utf16 converts the output of ">" and Out-File in Windows PowerShell.
func (x reader) utf16(r io.Reader, order binary.ByteOrder, layer int) (File, error) {
	raw, err := x.all(r)
	if err != nil {
		return File{}, err
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = order.Uint16(raw[2*i:])
	}
	return x.content([]byte(string(utf16.Decode(units[1:]))), layer)
}

// typed drops the line that Export-Csv of Windows PowerShell puts first.
func (x reader) typed(r io.Reader, layer int) (File, error) {
	text, err := x.all(r)
	if err != nil {
		return File{}, err
	}
	_, rest, _ := bytes.Cut(text, []byte("\n"))
	return x.content(rest, layer)
}

// isBase64 says whether a report begins here in base64, as the AWS CLI prints its
// Content, with or without the quotes of JSON.
func isBase64(text []byte) bool {
	text = bytes.TrimPrefix(text, []byte(`"`))
	return bytes.HasPrefix(text, []byte("dXNlcixhcm4")) || // user,arn
		bytes.HasPrefix(text, []byte("InVzZXIiLCJhcm4i")) // "user","arn"
}

// base64 decodes the Content that the AWS CLI prints, and the time beside it.
func (x reader) base64(r io.Reader, layer int) (File, error) {
	text, err := x.all(r)
	if err != nil {
		return File{}, err
	}
	first, rest, _ := strings.Cut(string(bytes.TrimPrefix(text, markUTF8)), "\t")
	first = strings.Trim(strings.Join(strings.Fields(first), ""), `"`)
	content, err := base64.StdEncoding.DecodeString(first)
	if err != nil {
		return File{}, &Error{"base64 that is damaged or cut off", "fetch the report again"}
	}
	f, err := x.content(content, layer)
	if err != nil {
		return f, err
	}
	for field := range strings.FieldsSeq(rest) {
		if at, err := time.Parse(time.RFC3339, field); err == nil {
			f.Generated = at.UTC()
		}
	}
	return f, nil
}

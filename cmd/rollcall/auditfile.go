package main

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"rollcall/internal/enrich"
	"rollcall/internal/history"
	"rollcall/internal/intake"
	"rollcall/internal/words"
)

// prepare completes what is known of the report by looking into it. dated says
// that the moment to judge for is known otherwise. Beside others, what is no
// report is one that is missing; alone it is an error.
func (in *auditInput) prepare(dated bool) error {
	err := in.look(dated)
	var no *intake.Error
	if errors.As(err, &no) && in.among {
		in.missing, err = no.Error(), nil
		if in.src.Account == "" {
			in.src.Name = cmp.Or(in.src.Path, "standard input")
		}
	}
	return err
}

func (in *auditInput) look(dated bool) error {
	switch {
	case in.missing != "" || in.content != nil:
		return nil
	case in.stream != nil:
		r := bufio.NewReaderSize(in.stream, intake.Head)
		in.stream = r
		if err := in.take(r, "standard input"); err != nil {
			return err
		}
		in.guess(dated, "The report on standard input", time.Now(), "now")
		return nil
	}
	f, err := os.Open(in.file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := in.checksum(f); err != nil || in.missing != "" {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := in.take(bufio.NewReaderSize(f, intake.Head), in.file); err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	in.guess(dated, in.file, info.ModTime(), "when the file was written, "+words.Time(info.ModTime()))
	if in.saved != nil {
		in.readFacts()
	}
	return nil
}

// take takes the report out of a file, whatever its form.
func (in *auditInput) take(r *bufio.Reader, name string) error {
	f, err := intake.Read(r)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if f.Content != nil {
		sum := sha256.Sum256(f.Content)
		// The lines of findings are those of the report and not of the file.
		in.content, in.src.Path, in.src.SHA256 = f.Content, "", hex.EncodeToString(sum[:])
	}
	if !f.Generated.IsZero() {
		in.src.Generated = f.Generated
	}
	return nil
}

// readFacts takes what 'rollcall report --enrich' kept beside the report.
func (in *auditInput) readFacts() {
	var saved enrich.Saved
	err := in.saved.ReadFacts(&saved)
	switch {
	case err == nil && saved.Account == in.saved.Account:
		in.facts = saved.Facts
	case errors.Is(err, history.ErrNone):
	default:
		in.problem = strings.TrimSpace(in.problem + " What was kept beside the report cannot be read.")
	}
}

// guess dates a report that nothing dates.
func (in *auditInput) guess(dated bool, name string, at time.Time, text string) {
	if dated || !in.src.Generated.IsZero() {
		return
	}
	in.src.Generated = at.UTC().Truncate(time.Second)
	in.guessed = true
	in.note = fmt.Sprintf("%s does not say when it was generated: ages count from %s (see --as-of)", name, text)
}

// checksum takes the SHA-256 of the file, and compares it where it is known.
func (in *auditInput) checksum(f *os.File) error {
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	sum := hex.EncodeToString(h.Sum(nil))
	if in.verify && sum != in.src.SHA256 {
		in.missing = fmt.Sprintf("%s is damaged: it is not what was saved", in.src.Path)
	}
	in.src.SHA256 = sum
	return nil
}

// open returns the report.
func (in *auditInput) open() (io.ReadCloser, error) {
	switch {
	case in.content != nil:
		return io.NopCloser(bytes.NewReader(in.content)), nil
	case in.stream != nil:
		return io.NopCloser(in.stream), nil
	}
	return os.Open(in.file)
}

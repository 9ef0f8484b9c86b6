// Package reports finds the credential reports that a person names, and opens
// them for packages that audit, compare and show them. They are files, folders
// with fetched reports or filled by hand, standard input, and times of a
// history.
//
// It does not fetch, judge or print. Package intake reads the forms of files,
// and package history reads folders of reports.
package reports

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/audit/plan"
	"rollcall/internal/enrich"
	"rollcall/internal/history"
	"rollcall/internal/intake"
	"rollcall/internal/words"
)

// Report is a credential report that was found, or an account without one.
type Report struct {
	Source  audit.Source
	Service plan.Service // the service that it came from
	// Organization is the id of the organization that listed the account, "" if
	// none is known.
	Organization string
	Facts        *audit.Enrichment
	// Missing is the reason why there is no report, "" if there is one.
	Missing string
	// Problem is another reason why the audit of it is incomplete.
	Problem string
	// Guess says which time was used as Source.Generated; nil if the true time
	// is known.
	Guess *Guess
	// Snapshots are the reports of the account in a folder up to this one, which
	// is the last. It is empty if the report is not from such a folder.
	Snapshots []history.Snapshot

	// A report is read from a file, from open, a stream, or content.
	file    string
	open    func() (io.ReadCloser, error)
	pipe    string // the name of the pipe that was copied to file
	stream  io.Reader
	content []byte
	// verify says that the file must have the checksum Source.SHA256, and digested
	// that this field has the digest of a file without a known checksum.
	verify, digested bool
	among            bool // it is one of several reports
	saved            *history.Snapshot
}

// Guess is the time that is used because the true time of a report is unknown.
type Guess struct {
	Name string // name of the report, to begin a sentence with
	From string // such as now
}

// InMemory returns a report with the given content.
func InMemory(content []byte, src audit.Source) Report {
	sum := sha256.Sum256(content)
	src.SHA256 = hex.EncodeToString(sum[:])
	return Report{Source: src, content: content}
}

// InStore returns a report that open reads. src contains all known facts,
// including the digest.
func InStore(src audit.Source, open func() (io.ReadCloser, error)) Report {
	return Report{Source: src, open: open}
}

// OfNone returns a missing report with the reason.
func OfNone(src audit.Source, why string) Report { return Report{Source: src, Missing: why} }

// Title returns the name of the report among others.
func (r *Report) Title() string {
	name := strings.TrimSpace(r.Source.Account + " " + r.Source.Name)
	return cmp.Or(name, r.file, standardInput)
}

const standardInput = "standard input"

// Prepare completes the facts about the report from its content. dated says
// that the time to judge for is known already. If the file is not a report,
// that is an error if there is only one report. Among others, the report counts
// as missing.
func (r *Report) Prepare(dated bool) error {
	err := r.look(dated)
	var no *intake.Error
	if errors.As(err, &no) && r.among {
		r.Missing, err = no.Error(), nil
		if r.Source.Account == "" {
			r.Source.Name = cmp.Or(r.Source.Path, standardInput)
		}
	}
	return err
}

func (r *Report) look(dated bool) error {
	switch {
	case r.Missing != "" || r.content != nil || r.open != nil:
		return nil
	case r.stream != nil:
		b := bufio.NewReaderSize(r.stream, intake.Head)
		r.stream = b
		if err := r.take(b, standardInput); err != nil {
			return err
		}
		r.guess(dated, time.Now(), Guess{"The report on standard input", "now"})
		return nil
	}
	f, err := os.Open(r.file)
	if err != nil {
		return err
	}
	defer f.Close()
	if r.verify {
		if err := r.checksum(f); err != nil || r.Missing != "" {
			return err
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
	}
	if err := r.take(bufio.NewReaderSize(f, intake.Head), cmp.Or(r.pipe, r.file)); err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	r.guess(dated, info.ModTime(), Guess{r.file, "when the file was written, " + words.Time(info.ModTime())})
	if r.saved != nil {
		r.readFacts()
	}
	return nil
}

// take reads the report in a file, whatever its form.
func (r *Report) take(b *bufio.Reader, name string) error {
	f, err := intake.Read(b)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if f.Content != nil {
		sum := sha256.Sum256(f.Content)
		// The line numbers of findings refer to the report and not to the file.
		r.content, r.Source.Path, r.Source.SHA256 = f.Content, "", hex.EncodeToString(sum[:])
	}
	if !f.Generated.IsZero() {
		r.Source.Generated = f.Generated
	}
	return nil
}

// readFacts reads the facts that 'rollcall report --enrich' saved next to the
// report.
func (r *Report) readFacts() {
	var saved enrich.Saved
	err := r.saved.ReadFacts(&saved)
	switch {
	case err == nil && saved.Account == r.saved.Account:
		if saved.Facts != nil {
			r.Enrich(saved.Facts)
		}
	case errors.Is(err, history.ErrNone):
	default:
		r.Problem = strings.TrimSpace(r.Problem + " What was kept beside the report cannot be read.")
	}
}

// Enrich adds facts to the report. If some are missing, its audit is incomplete.
func (r *Report) Enrich(facts *audit.Enrichment) {
	r.Facts = facts
	missing := enrich.Missing(facts)
	if missing != "" && !strings.Contains(r.Problem, missing) { // the outcome of the last run says so too
		r.Problem = strings.TrimSpace(r.Problem + " Facts of --enrich are missing: " + missing + ".")
	}
}

// guess dates a report whose time is unknown.
func (r *Report) guess(dated bool, at time.Time, guess Guess) {
	if dated || !r.Source.Generated.IsZero() {
		return
	}
	r.Source.Generated, r.Guess = at.UTC().Truncate(time.Second), &guess
}

// checksum compares the SHA-256 of the file with the expected one.
func (r *Report) checksum(f *os.File) error {
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if hex.EncodeToString(h.Sum(nil)) != r.Source.SHA256 {
		r.Missing = fmt.Sprintf("%s is damaged: it is not what was saved", r.Source.Path)
	}
	return nil
}

// Digest sets Source.SHA256 of a prepared report for callers that need it before
// Audit, which otherwise computes it while it reads.
func (r *Report) Digest(ctx context.Context) error {
	if !r.undigested() {
		return nil
	}
	f, err := os.Open(r.file)
	if err != nil {
		return err
	}
	defer f.Close()
	return r.setDigest(digest(ctx, f))
}

// undigested reports whether nobody knows the SHA-256 of the report's file yet.
func (r *Report) undigested() bool {
	return r.file != "" && r.content == nil && r.Missing == "" && !r.verify && !r.digested
}

// setDigest sets Source.SHA256 to that of the whole file.
func (r *Report) setDigest(d *digester) error {
	sum, err := d.wait()
	if err == nil {
		r.Source.SHA256, r.digested = sum, true
	}
	return err
}

// Open returns the report's CSV. A report from a stream can be opened only
// once.
func (r *Report) Open() (io.ReadCloser, error) {
	switch {
	case r.content != nil:
		return io.NopCloser(bytes.NewReader(r.content)), nil
	case r.stream != nil:
		return io.NopCloser(r.stream), nil
	case r.open != nil:
		return r.open()
	}
	return os.Open(r.file)
}

// Audit judges the report and calls visit, or records that the report is
// missing.
func (r *Report) Audit(ctx context.Context, by *audit.Auditor, visit func(*audit.Row) error) (*audit.AccountSummary,
	error) {
	of, err := r.audit(ctx, by, visit)
	if err == nil && r.Problem != "" {
		of.Problems = append(of.Problems, audit.Problem{Text: r.Problem})
		of.ProblemCount++
	}
	return of, err
}

func (r *Report) audit(ctx context.Context, by *audit.Auditor, visit func(*audit.Row) error) (*audit.AccountSummary,
	error) {
	if r.Missing != "" {
		return by.Missing(r.Source, r.Missing, visit)
	}
	content, err := r.Open()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	if !r.undigested() {
		return by.Audit(ctx, content, r.Source, r.Facts, visit)
	}
	d := digest(ctx, content)
	defer d.end()
	of, err := by.Audit(ctx, d, r.Source, r.Facts, visit)
	if err == nil {
		err = r.setDigest(d) // the audit does not read on after damage
	}
	if err != nil {
		return nil, err
	}
	of.Source.SHA256 = r.Source.SHA256
	return of, nil
}

package review

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"rollcall/internal/words"
	"rollcall/report"
)

// Checked is the result of checking a review or a pack.
type Checked struct {
	Review    string   `json:"review"`
	Freeze    string   `json:"freeze"`
	Files     int      `json:"files"`
	Lines     int      `json:"lines"`
	Decided   int      `json:"decided"`
	Signed    bool     `json:"signed"`
	Signer    string   `json:"signer,omitempty"`
	Signature string   `json:"signature,omitempty"`
	Problems  []string `json:"problems"`
}

// Checking says how to check.
type Checking struct {
	// AllowedSigners is a file in the format of ssh-keygen, "" for none. Signer is
	// the required signer in it, "" for any.
	AllowedSigners, Signer string
}

func (c *Checked) problem(format string, args ...any) {
	if len(c.Problems) < 100 {
		c.Problems = append(c.Problems, fmt.Sprintf(format, args...))
	}
}

// Inspect checks the folder of a review, or a pack. Everything in it must be as it was
// frozen and collected, and the population must contain every user of the reports.
// The result lists the problems.
func Inspect(ctx context.Context, name string, how Checking) (*Checked, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	c := &Checked{Problems: []string{}}
	if info.IsDir() {
		if how.AllowedSigners != "" {
			return nil, errors.New("a folder has no signature: check the ZIP file that 'rollcall review pack' wrote")
		}
		c.content(os.DirFS(name))
		return c, nil
	}
	z, err := zip.OpenReader(name)
	if err != nil {
		return nil, fmt.Errorf("%s: it is neither the folder nor the pack of a review: %w", name, err)
	}
	defer func() { _ = z.Close() }()
	if !c.names(&z.Reader) {
		return c, nil
	}
	if err := c.layout(name, z.File); err != nil {
		return nil, err
	}
	list, err := readFile(z, packFile, maxJSON)
	if err != nil {
		return nil, fmt.Errorf("%s: it is not the pack of a review: %w", name, err)
	}
	var p Pack
	if err := decode(list, &p, packKind); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", name, packFile, err)
	}
	c.hashes(z, &p)
	if err := c.signature(ctx, z, list, how); err != nil {
		return nil, err
	}
	if len(c.Problems) > 0 {
		return c, nil // what was altered is not worth reading
	}
	c.content(z)
	if c.Freeze != "" && c.Freeze != p.Freeze {
		c.problem("%s names another freeze than %s is", packFile, manifestFile)
	}
	return c, nil
}

// mostPacked limits the size of an unpacked file to a multiple of its packed size.
const mostPacked = 300

// names refuses entries outside of the archive, and several entries of one name.
// Programs that unpack such an archive would write other files than the checked
// ones.
func (c *Checked) names(z *zip.Reader) bool {
	seen := map[string]bool{}
	for _, f := range z.File {
		switch name := f.Name; {
		case !validName(name), !printable(name):
			c.problem("%.200q is not the name of a file of a pack", name)
		case f.UncompressedSize64 > 1<<20 && f.UncompressedSize64/mostPacked > f.CompressedSize64:
			c.problem("%s unpacks to more than any file of a review does", name)
		case !f.Mode().IsRegular():
			c.problem("%s is not a regular file", name)
		case seen[fold(name)]:
			c.problem("%s is there twice", name)
		default:
			seen[fold(name)] = true
		}
	}
	return len(c.Problems) == 0
}

// layout refuses what no directory of the archive names.
func (c *Checked) layout(name string, files []*zip.File) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := layout(f, info.Size(), files); err != nil {
		c.problem("the pack has more in it than its files: %v", err)
	}
	return nil
}

// hashes compares the files of a pack with its list.
func (c *Checked) hashes(z *zip.ReadCloser, p *Pack) {
	listed := map[string]bool{packFile: true, signatureFile: true}
	for _, f := range p.Files {
		listed[f.File] = true
		c.Files++
		switch sum, err := digestFile(z, f); {
		case errors.Is(err, fs.ErrNotExist):
			c.problem("%.200q is in %s, and not in the pack", f.File, packFile)
		case err != nil:
			c.problem("%.200q: %v", f.File, err)
		case sum != f.SHA256:
			c.problem("%s was altered: its SHA-256 is not that in %s", f.File, packFile)
		}
	}
	for _, f := range z.File {
		if !listed[f.Name] {
			c.problem("%s is in the pack, and not in %s", f.Name, packFile)
		}
	}
}

// digestFile returns the SHA-256 of a file of the expected size. It reads at most
// that many bytes, so a small file that unpacks to a huge one does no harm.
func digestFile(files fs.FS, sum FileSum) (string, error) {
	f, err := openFile(files, sum.File)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(f, sum.Bytes+1))
	switch {
	case err != nil:
		return "", err
	case n != sum.Bytes:
		return "", fmt.Errorf("it does not have %d bytes", sum.Bytes)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (c *Checked) signature(ctx context.Context, z *zip.ReadCloser, list []byte, how Checking) error {
	text, err := readFile(z, signatureFile, 1<<20)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if how.AllowedSigners != "" {
			c.problem("the pack is not signed")
		}
		return nil
	case err != nil:
		return err
	}
	c.Signed = true
	s, err := verifySignature(ctx, list, text, how.AllowedSigners, how.Signer)
	switch {
	case errors.Is(err, errSignature):
		c.problem("%v", err)
		return nil
	case err != nil:
		return err
	}
	c.Signer, c.Signature = s.Signer, s.Text
	return nil
}

// content checks the content of a review.
func (c *Checked) content(files fs.FS) {
	r, err := open(files)
	if err != nil {
		c.problem("%v", err)
		return
	}
	c.Review, c.Freeze, c.Lines = r.Manifest.Name, r.Freeze, len(r.Items)
	for n := range r.Manifest.Accounts {
		if a := &r.Manifest.Accounts[n]; a.Report != nil {
			c.population(r, a)
		}
	}
	decisions, err := r.Decisions()
	if err != nil {
		c.problem("%v", err)
	}
	c.Decided = len(decisions)
	v, err := r.Verification()
	switch {
	case err != nil:
		c.problem("%v", err)
	case v != nil:
		c.later(r, v)
	}
	if r.Manifest.Previous != nil {
		if _, err := r.GoneItems(); err != nil {
			c.problem("%v", err)
		}
	}
}

// population checks that the lines of an account are those of its report.
func (c *Checked) population(r *Review, a *Account) {
	content, err := r.frozenReport(a)
	if err != nil {
		c.problem("%v", err)
		return
	}
	if _, err := r.frozenFacts(a); err != nil {
		c.problem("%v", err)
	}
	lines, users := 0, 0
	err = eachRow(content, func(row *report.Row) error {
		users++
		for _, i := range itemsOf(row, a.Account, a.Report.GeneratedAt) {
			is := r.item(i.Line)
			if is == nil || is.User != i.User || is.State != i.State || is.LastUsed != i.LastUsed || is.Created != i.Created {
				c.problem("the population does not have %s as the report has it", i.Title())
				continue
			}
			lines++
		}
		return nil
	})
	switch {
	case err != nil && a.State != Incomplete:
		c.problem("%s: %v", a.Report.File, err)
	case lines != a.Items || users != a.Users:
		c.problem("the report of account %s has %s and %s, and the manifest says %d and %d", a.Account,
			words.Count(users, "user"), words.Count(lines, "line"), a.Users, a.Items)
	}
}

func (c *Checked) later(r *Review, v *Verification) {
	for _, o := range v.Reports {
		content, err := readFile(r.files, o.File, maxReport)
		switch {
		case err != nil:
			c.problem("%v", err)
		case sumOf(content) != o.SHA256:
			c.problem("%s is not the report that was looked into: its SHA-256 differs", o.File)
		}
	}
}

package review

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"io"
	"path"
	"slices"
	"time"
)

// packFile and signatureFile are the manifest of a pack and the signature of it,
// and evidenceFile is the page.
const (
	packFile      = "pack.json"
	signatureFile = "pack.json.sig"
	evidenceFile  = "evidence.html"
)

// Pack lists the files of a pack. docs/schemas/review-pack.schema.json describes
// its JSON form.
type Pack struct {
	Kind     string    `json:"kind"`
	Version  int       `json:"version"`
	Program  string    `json:"program"`
	Review   string    `json:"review"`
	Freeze   string    `json:"freeze"`
	PackedAt time.Time `json:"packed_at"`
	Files    []FileSum `json:"files"`
}

// Packing says how to pack a review.
type Packing struct {
	Program string
	Zip     string // the name of the ZIP file, for the page to name
	Now     time.Time
	// Key is the SSH key to sign with, "" for none.
	Key string
}

// Pack writes the page of evidence into the review, and everything into a ZIP
// file.
func (r *Review) Pack(ctx context.Context, w io.Writer, p Packing) (*Pack, error) {
	var page bytes.Buffer
	if err := r.WriteEvidence(&page, p.Program, p.Zip, p.Now); err != nil {
		return nil, err
	}
	if err := r.write(evidenceFile, page.Bytes()); err != nil {
		return nil, err
	}
	names, err := r.packed()
	if err != nil {
		return nil, err
	}
	out := &Pack{Kind: packKind, Version: version, Program: p.Program, Review: r.Manifest.Name, Freeze: r.Freeze,
		PackedAt: p.Now.UTC().Truncate(time.Second), Files: []FileSum{}}
	z := zip.NewWriter(w)
	for _, name := range names {
		content, err := readFile(r.files, name, maxPopulation)
		if err != nil {
			return nil, err
		}
		out.Files = append(out.Files, FileSum{name, sumOf(content), int64(len(content))})
		if err := addFile(z, name, content, out.PackedAt); err != nil {
			return nil, err
		}
	}
	list, err := encode(out)
	if err != nil {
		return nil, err
	}
	if err := addFile(z, packFile, list, out.PackedAt); err != nil {
		return nil, err
	}
	if p.Key != "" {
		signature, err := sign(ctx, p.Key, list)
		if err != nil {
			return nil, err
		}
		if err := addFile(z, signatureFile, signature, out.PackedAt); err != nil {
			return nil, err
		}
	}
	return out, z.Close()
}

func addFile(z *zip.Writer, name string, content []byte, at time.Time) error {
	h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: at}
	h.SetMode(private)
	w, err := z.CreateHeader(h)
	if err == nil {
		_, err = w.Write(content)
	}
	return err
}

// private is the mode of files in a pack.
const private = 0o600

// packed returns the sorted names of the review's files for a pack. It omits other
// files in the folder.
func (r *Review) packed() ([]string, error) {
	names := []string{manifestFile, populationFile, evidenceFile}
	if r.Manifest.Previous != nil {
		names = append(names, goneFile)
	}
	for _, a := range r.Manifest.Accounts {
		if a.Report != nil {
			names = append(names, a.Report.File)
			if a.Report.Facts != nil {
				names = append(names, a.Report.Facts.File)
			}
		}
	}
	for _, of := range r.Manifest.Reviewers {
		names = append(names, path.Join(sheetsDir, of.Sheet+".csv"))
	}
	c, err := r.Collected()
	if err != nil {
		return nil, err
	}
	if len(c.Files) > 0 {
		names = append(names, collectedFile)
	}
	for _, f := range c.Files {
		names = append(names, f.File)
	}
	v, err := r.Verification()
	if err != nil {
		return nil, err
	}
	if v != nil {
		names = append(names, verifiedFile)
		for _, o := range v.Reports {
			names = append(names, o.File)
		}
	}
	slices.SortFunc(names, cmp.Compare[string])
	return slices.Compact(names), nil
}

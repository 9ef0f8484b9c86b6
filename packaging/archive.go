package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// entry is a file of an archive or an image.
type entry struct {
	name    string // with slashes, without one in front
	mode    int64
	content []byte
	dir     bool
	uid     int
}

// entries returns what an archive for a platform holds, in the order of names.
func (r *release) entries(p platform) ([]entry, error) {
	binary := r.binary(p)
	program, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	all := []entry{{name: filepath.Base(binary), mode: 0o755, content: program}}
	for _, from := range []struct{ pattern, folder string }{
		{filepath.Join(r.root, "LICENSE"), ""}, {filepath.Join(r.root, "NOTICE"), ""}, {r.licenses(p), ""},
		{filepath.Join(r.root, "README.md"), ""},
		{filepath.Join(r.work, "man", "*"), "man/"}, {filepath.Join(r.work, "completions", "*"), "completions/"},
	} {
		found, err := filepath.Glob(from.pattern)
		if err != nil {
			return nil, err
		}
		for _, file := range found {
			content, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			all = append(all, entry{name: from.folder + filepath.Base(file), mode: 0o644, content: content})
		}
	}
	slices.SortFunc(all, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return all, nil
}

// archive writes the program and its documents as one file for people who
// install by hand.
func (r *release) archive(p platform) error {
	all, err := r.entries(p)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("rollcall_%s_%s", r.version, p)
	for i := range all {
		all[i].name = name + "/" + all[i].name
	}
	if p.os == "windows" {
		content, err := zipped(all, r.date)
		if err != nil {
			return err
		}
		return os.WriteFile(r.file("%s.zip", name), content, 0o644)
	}
	content, err := tarred(all, r.date)
	if err != nil {
		return err
	}
	packed, err := gzipped(content)
	if err != nil {
		return err
	}
	return os.WriteFile(r.file("%s.tar.gz", name), packed, 0o644)
}

// gzipped compresses without a name or a time.
func gzipped(content []byte) ([]byte, error) {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	err = w.Close()
	return packed.Bytes(), err
}

func tarred(all []entry, at time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range all {
		h := &tar.Header{Name: e.name, Mode: e.mode, Size: int64(len(e.content)), ModTime: at, Typeflag: tar.TypeReg,
			Uid: e.uid, Gid: e.uid, Format: tar.FormatPAX}
		if e.dir {
			h.Typeflag = tar.TypeDir
			h.Name += "/"
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.content); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

func zipped(all []entry, at time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range all {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: at}
		h.SetMode(os.FileMode(e.mode))
		f, err := w.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(e.content); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

// checksums writes SHA256SUMS, which 'sha256sum --check' reads.
func (r *release) checksums() error {
	found, err := os.ReadDir(r.out)
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, f := range found {
		sum, err := sumOf(filepath.Join(r.out, f.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "%x  %s\n", sum, f.Name())
	}
	return os.WriteFile(r.file("SHA256SUMS"), []byte(text.String()), 0o644)
}

func sumOf(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}

package review

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rollcall/internal/ownfile"
)

// These are the numbers of bytes of a file that are read at most.
const (
	maxJSON       = 256 << 20
	maxPopulation = 4 << 30
	maxReport     = 2 << 30
)

// Review is a review that was started.
type Review struct {
	Manifest *Manifest
	// Freeze is the SHA-256 of the manifest, in hexadecimal.
	Freeze string
	Items  []Item
	dir    string // "" if it is read from a pack
	files  fs.FS
	lines  map[string]int
}

// freezeShown is the number of digits of the freeze that sheets show.
const freezeShown = 16

// ShortFreeze returns the freeze as sheets show it. It begins with a letter, so
// that spreadsheets do not take it for a number.
func (r *Review) ShortFreeze() string { return shortFreeze(r.Freeze) }

func shortFreeze(freeze string) string { return "f" + freeze[:freezeShown] }

// Is reports whether a folder looks like a review.
func Is(dir string) bool {
	info, err := os.Lstat(filepath.Join(dir, manifestFile))
	return err == nil && info.Mode().IsRegular()
}

// Keeps reports whether a path within the folder of a review is that of one of its own
// files, other than the ZIP file.
func Keeps(name string) bool {
	first, _, below := strings.Cut(filepath.ToSlash(name), "/")
	if below {
		return slices.Contains([]string{reportsDir, sheetsDir, decisionsDir, laterDir}, first)
	}
	return slices.Contains([]string{manifestFile, populationFile, goneFile, collectedFile, verifiedFile, lockFile,
		evidenceFile}, first)
}

// Open opens the folder of a review. It checks that the population is the frozen
// one.
func Open(dir string) (*Review, error) {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, fmt.Errorf("%s is not the folder of a review", dir)
	}
	r, err := open(os.DirFS(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not the folder of a review: %w", dir, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	r.dir = dir
	return r, nil
}

// open opens a review in a file system.
func open(files fs.FS) (*Review, error) {
	text, err := readFile(files, manifestFile, maxJSON)
	if err != nil {
		return nil, err
	}
	r := &Review{Manifest: &Manifest{}, Freeze: sumOf(text), files: files}
	if err := decode(text, r.Manifest, manifestKind); err != nil {
		return nil, fmt.Errorf("%s: %w", manifestFile, err)
	}
	population, err := readSum(files, r.Manifest.Population, populationFile)
	if err != nil {
		return nil, err
	}
	if r.Items, err = readItems(population); err != nil {
		return nil, fmt.Errorf("%s: %w", populationFile, err)
	}
	r.lines = make(map[string]int, len(r.Items))
	sheets := map[string]bool{}
	for _, of := range r.Manifest.Reviewers {
		sheets[of.Name] = validName(of.Sheet) && !strings.Contains(of.Sheet, "/")
	}
	for i := range r.Items {
		r.lines[r.Items[i].Line] = i
		if !sheets[r.Items[i].Reviewer] {
			return nil, fmt.Errorf("%s: line %d: the manifest has no such reviewer, or no name of the sheet", populationFile,
				i+1)
		}
	}
	if len(r.lines) != len(r.Items) || len(r.Items) != r.Manifest.Items {
		return nil, fmt.Errorf("%s: it has %d lines, and the manifest says %d", populationFile, len(r.lines),
			r.Manifest.Items)
	}
	return r, nil
}

// item returns the item of a line, or nil if there is none.
func (r *Review) item(line string) *Item {
	i, ok := r.lines[line]
	if !ok {
		return nil
	}
	return &r.Items[i]
}

// reviewer returns the reviewer with a name, or nil. It ignores letter case.
func (r *Review) reviewer(name string) *Reviewer {
	for i := range r.Manifest.Reviewers {
		if fold(r.Manifest.Reviewers[i].Name) == fold(name) {
			return &r.Manifest.Reviewers[i]
		}
	}
	return nil
}

// readItems reads a population.
func readItems(text []byte) ([]Item, error) {
	var items []Item
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var i Item
		if err := json.Unmarshal(lines.Bytes(), &i); err != nil {
			return nil, fmt.Errorf("line %d: %w", len(items)+1, err)
		}
		items = append(items, i)
	}
	return items, lines.Err()
}

// readSum reads a file that the manifest describes. Its name and content must
// match.
func readSum(files fs.FS, sum FileSum, name string) ([]byte, error) {
	if sum.File != name {
		return nil, fmt.Errorf("the manifest names %.100q in place of %s", sum.File, name)
	}
	text, err := readFile(files, name, maxPopulation)
	if err == nil && sumOf(text) != sum.SHA256 {
		err = fmt.Errorf("%s is not what was frozen: its SHA-256 differs from that in the manifest", name)
	}
	return text, err
}

// readFile reads a regular file. It refuses a path with a link, because that
// could lead out of the review.
func readFile(files fs.FS, name string, limit int64) ([]byte, error) {
	f, err := openFile(files, name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("%s is longer than %d MiB", name, limit>>20)
	}
	return text, err
}

func openFile(files fs.FS, name string) (fs.File, error) {
	if err := checkPath(files, name); err != nil {
		return nil, err
	}
	return files.Open(name)
}

// validName reports whether a name stays within the review on every system.
func validName(name string) bool { return fs.ValidPath(name) && !strings.ContainsAny(name, `\:`) }

// checkPath refuses links, and a name that leads out of the review.
func checkPath(files fs.FS, name string) error {
	if !validName(name) {
		return fmt.Errorf("%.200q is not the name of a file of a review", name)
	}
	for at := range name {
		if name[at] != '/' {
			continue
		}
		info, err := fs.Lstat(files, name[:at])
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return fmt.Errorf("%s is not a folder, or a link: the files of a review are in the review", name[:at])
		}
	}
	info, err := fs.Lstat(files, name)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file: the files of a review are in the review", name)
	}
	return nil
}

// write writes a file of the review. It refuses to write through a link.
func (r *Review) write(name string, content []byte) error {
	return writeIn(r.dir, name, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

func writeIn(dir, name string, write func(io.Writer) error) error {
	if !validName(name) {
		return fmt.Errorf("%.200q is not the name of a file of a review", name)
	}
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := ownfile.MkdirAll(filepath.Dir(path)); err != nil {
		return err
	}
	if err := checkPath(os.DirFS(dir), name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return ownfile.Write(path, write)
}

func sumOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// decode reads one JSON value of a kind and refuses unknown members.
func decode(text []byte, v any, kind string) error {
	d := json.NewDecoder(bytes.NewReader(text))
	// A wrong kind explains more than the first unknown member.
	var head struct {
		Kind    string `json:"kind"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return fmt.Errorf("it is not JSON that was written by a review: %w", plainJSON(err))
	}
	switch {
	case head.Kind != kind:
		return fmt.Errorf("its kind is %.50q, but must be %q", head.Kind, kind)
	case head.Version != version:
		return fmt.Errorf("its version is %d, and this program reads version %d", head.Version, version)
	}
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return plainJSON(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("there is more after the JSON value")
	}
	return nil
}

// plainJSON returns an error of package json without its prefix and without
// names of Go types.
func plainJSON(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("%s cannot be a JSON %s", wrong.Field, wrong.Value)
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: "))
}

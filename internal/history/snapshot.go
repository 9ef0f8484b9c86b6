package history

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// Meta holds the facts about a report besides its bytes.
type Meta struct {
	Account     string    `json:"account"`   // twelve digits
	Partition   string    `json:"partition"` // aws, aws-cn, aws-us-gov, aws-eusc
	GeneratedAt time.Time `json:"generated_at"`
	FetchedAt   time.Time `json:"fetched_at"` // by the clock of the service
	// Source is "generated" if the report was generated for this run, "cached"
	// if it existed already, and "stale" if it was older than requested.
	Source string `json:"source"`
	SHA256 string `json:"sha256"` // of the CSV, in hexadecimal
	// Endpoint is the service that the report came from. "" is AWS.
	Endpoint string `json:"endpoint,omitempty"`
	// Store says that the operator of a service took the report out of its store.
	// Then nothing says where clients reach the service.
	Store bool `json:"store,omitempty"`
	// Caller is the ARN of the identity whose credentials were used, and Role the
	// ARN of the role that it assumed in the account, "" for none.
	Caller string `json:"caller,omitempty"`
	Role   string `json:"role,omitempty"`
	// Command is the command line that fetched the report.
	Command string `json:"command,omitempty"`
}

// Snapshot is one report of the folder.
type Snapshot struct {
	Meta
	Path string // of the CSV
}

// ErrDamaged says that a file of the folder differs from the one that was
// saved.
var ErrDamaged = errors.New("damaged")

// Verifiable says whether the report has a checksum. A report that was put into
// the folder by hand has none. Its Account and GeneratedAt come from its path,
// and the rest of Meta is empty.
func (s Snapshot) Verifiable() bool { return s.SHA256 != "" }

// Read returns the report, byte for byte. If its SHA-256 differs from the saved
// one the error is ErrDamaged.
func (s Snapshot) Read() ([]byte, error) {
	content, err := os.ReadFile(s.Path)
	if err != nil {
		return nil, err
	}
	if s.Verifiable() && checksum(content) != s.SHA256 {
		return nil, fmt.Errorf("%s: %w: its SHA-256 differs from the saved one", s.Path, ErrDamaged)
	}
	return content, nil
}

func checksum(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// nameForm is the form of a report's file name: a time in UTC. It is safe on
// every file system, and sorts by time.
const nameForm = "2006-01-02T150405Z"

const csvSuffix, metaSuffix = ".csv", ".json"

// Name returns the name of a report generated at t, without a suffix:
// 2026-11-23T101500Z. It drops fractions of a second.
func Name(t time.Time) string { return t.UTC().Format(nameForm) }

func parseName(file string) (t time.Time, ok bool) {
	name, isCSV := strings.CutSuffix(file, csvSuffix)
	t, err := time.Parse(nameForm, name)
	return t, isCSV && err == nil && Name(t) == name
}

// snapshot reads the metadata of a report that is in the folder.
func (f *Folder) snapshot(account string, at time.Time) (Snapshot, error) {
	s := Snapshot{Path: f.path(account, Name(at)+csvSuffix)}
	s.Account, s.GeneratedAt = account, at
	file := f.path(account, Name(at)+metaSuffix)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	var m Meta
	if err := decode(text, &m); err != nil {
		return s, fmt.Errorf("%s: %w: %w", file, ErrDamaged, err)
	}
	sum, err := hex.DecodeString(m.SHA256)
	if m.Account != account || Name(m.GeneratedAt) != Name(at) || err != nil || len(sum) != sha256.Size {
		return s, fmt.Errorf("%s: %w: it describes another report than its name says", file, ErrDamaged)
	}
	s.Meta = m
	s.SHA256 = strings.ToLower(m.SHA256)
	return s, nil
}

// decode reads one JSON value and nothing after it. It ignores unknown members,
// so older programs can read newer folders.
func decode(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return errors.New("there is more than one value")
	}
	return nil
}

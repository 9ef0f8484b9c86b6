package trail

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"rollcall/internal/lazyregexp"
	"rollcall/internal/ownfile"
)

// Export writes records into a folder in the form in which CloudTrail delivers
// them to a bucket: gzip files of {"Records":[…]}, for each account, region and
// day:
//
//	AWSLogs/ACCOUNT/CloudTrail/REGION/2026/12/01/ACCOUNT_CloudTrail_REGION_20261201T0915Z_UNIQUE.json.gz
//
// Records that belong to no account are in the files of account 000000000000.
// The name of a file follows from its records, so a second export of the same
// records replaces the files of the first.
type Export struct {
	dir    string
	parts  map[exportPart][]Hit
	held   int // bytes of records in parts
	Files  int
	most   int // bytes of records in memory
	Stored int // records in the files
}

// exportPart identifies the records that share a file.
type exportPart struct{ account, region, day string }

// exportBytes is about the largest size of a file before compression.
const exportBytes = 32 << 20

// NewExport returns an Export into a folder, which need not exist.
func NewExport(dir string) *Export {
	return &Export{dir: dir, parts: map[exportPart][]Hit{}, most: exportBytes}
}

// Names from records become names of folders.
var (
	exportedAccount = lazyregexp.New(`^\d{12}$`)
	exportedRegion  = lazyregexp.New(`^[a-z0-9-]{1,64}$`)
)

// Add adds a record. Records come in the order of Search, the newest first.
func (x *Export) Add(h Hit) error {
	part := exportPart{"000000000000", "us-east-1", delivered(h).Format("2006/01/02")}
	for _, account := range []string{h.RecipientAccountID, h.UserIdentity.AccountID} {
		if exportedAccount.MatchString(account) {
			part.account = account
			break
		}
	}
	if exportedRegion.MatchString(h.AWSRegion) {
		part.region = h.AWSRegion
	}
	x.parts[part] = append(x.parts[part], h)
	if x.held += len(h.Line); x.held < x.most {
		return nil
	}
	return x.Close()
}

// Close writes the records that are still in memory.
func (x *Export) Close() error {
	var errs []error
	for part, hits := range x.parts {
		if err := x.write(part, hits); err != nil {
			errs = append(errs, err)
		}
	}
	clear(x.parts)
	x.held = 0
	return errors.Join(errs...)
}

// delivered returns the time that the name of a file gives for its newest
// record. CloudTrail puts no record into a file that is older.
func delivered(h Hit) time.Time {
	return h.EventTime.UTC().Add(time.Minute - time.Second).Truncate(time.Minute)
}

func (x *Export) write(part exportPart, hits []Hit) error {
	slices.Reverse(hits)
	newest := slices.MaxFunc(hits, func(a, b Hit) int { return a.EventTime.Compare(b.EventTime) })
	var text bytes.Buffer
	before := "{\"Records\":[\n"
	for _, h := range hits {
		text.WriteString(before)
		text.Write(h.Line)
		before = ",\n"
	}
	text.WriteString("\n]}\n")
	sum := sha256.Sum256(text.Bytes())
	dir := filepath.Join(x.dir, "AWSLogs", part.account, "CloudTrail", part.region, filepath.FromSlash(part.day))
	if err := ownfile.MkdirAll(dir); err != nil {
		return err
	}
	name := fmt.Sprintf("%s_CloudTrail_%s_%s_%s.json.gz", part.account, part.region,
		delivered(newest).Format("20060102T1504Z"), base32.StdEncoding.EncodeToString(sum[:])[:16])
	err := ownfile.Write(filepath.Join(dir, name), func(w io.Writer) error {
		z := gzip.NewWriter(w)
		if _, err := z.Write(text.Bytes()); err != nil {
			return err
		}
		return z.Close()
	})
	if err != nil {
		return err
	}
	x.Files++
	x.Stored += len(hits)
	return nil
}

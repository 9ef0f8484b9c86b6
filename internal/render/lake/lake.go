package lake

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"

	"rollcall/internal/audit"
	"rollcall/internal/ownfile"
	"rollcall/internal/render"
)

// Lake writes the reports and findings of a run into a folder. It is a
// render.Output. Its audit must use audit.Options.EveryRow.
type Lake struct {
	dir   string
	o     render.Options
	src   audit.Source
	rows  *part
	found *part
	taken map[string]int // files of this run, by their paths without the ending
}

// Create returns a Lake that writes into the folder. It creates a missing
// folder.
func Create(dir string, o render.Options) (*Lake, error) {
	if err := ownfile.MkdirAll(dir); err != nil {
		return nil, err
	}
	return &Lake{dir: dir, o: o, taken: map[string]int{}}, nil
}

// Report begins the next report.
func (l *Lake) Report(src audit.Source) error {
	l.src = src
	return nil
}

// Row writes a row and its findings.
func (l *Lake) Row(row *audit.Row) error {
	if row.Report != nil {
		if err := l.addRow(row); err != nil {
			return fmt.Errorf("write %s: %w", l.dir, err)
		}
	}
	for i := range row.Findings {
		if err := l.addFinding(&row.Findings[i]); err != nil {
			return fmt.Errorf("write %s: %w", l.dir, err)
		}
	}
	return nil
}

func (l *Lake) addRow(row *audit.Row) (err error) {
	if l.rows == nil {
		at, name := l.place("reports", cmp.Or(l.src.Account, row.Report.AccountID()))
		if l.rows, err = newPart(reportSchema(), at, l.unique(at, name)); err != nil {
			return err
		}
	}
	next, err := l.rows.next()
	if err == nil {
		*next = appendRow((*next)[:0], row, &l.src)
	}
	return err
}

func (l *Lake) addFinding(f *audit.Finding) error {
	if err := l.openFindings(f.Account); err != nil {
		return err
	}
	next, err := l.found.next()
	if err == nil {
		*next = findingRow{f, &l.src, l.o.Benchmark.ID, l.asOf(), l.o.Now}.append((*next)[:0])
	}
	return err
}

func (l *Lake) openFindings(account string) (err error) {
	if l.found == nil {
		at, name := l.place("findings", cmp.Or(l.src.Account, account))
		l.found, err = newPart(findingSchema(), at, l.unique(at, name+"-"+string(l.o.Benchmark.ID)))
	}
	return err
}

// asOf returns the time for which the report is judged.
func (l *Lake) asOf() time.Time {
	if !l.o.AsOf.IsZero() {
		return l.o.AsOf
	}
	return l.src.Generated
}

// place returns the folder of a report in a table and the name of its file. If
// the time of the report is unknown, it uses the time for which it was judged,
// or else the time of the run.
func (l *Lake) place(table, account string) (dir, name string) {
	at := l.src.Generated
	for _, other := range []time.Time{l.o.AsOf, l.o.Now} {
		if at.IsZero() {
			at = other
		}
	}
	at = at.UTC()
	dir = filepath.Join(l.dir, table, "dt="+at.Format(time.DateOnly), "account_id="+cmp.Or(account, "unknown"))
	return dir, at.Format("2006-01-02T150405Z")
}

// unique returns a name that no file of this run has. Several reports may be of one
// time and account, such as all reports whose account is unknown.
func (l *Lake) unique(dir, name string) string {
	path := filepath.Join(dir, name)
	if l.taken[path]++; l.taken[path] > 1 {
		name += "-" + strconv.Itoa(l.taken[path])
	}
	return name
}

// End moves the files of the report to their places. A report without findings
// has an empty file, which also replaces an older one.
func (l *Lake) End(a *audit.AccountSummary) error {
	err := l.openFindings(a.Source.Account)
	if err == nil && l.rows != nil {
		err = l.rows.finish()
		l.rows = nil
	}
	if err == nil {
		err = l.found.finish()
		l.found = nil
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", l.dir, err)
	}
	return nil
}

// Close writes the SQL next to the tables. A view needs at least one file of
// its table, so a table without reports gets a file without rows.
func (l *Lake) Close(*audit.Summary) error {
	if there, err := os.ReadDir(filepath.Join(l.dir, "reports")); len(there) == 0 {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		l.src = audit.Source{}
		dir, name := l.place("reports", "")
		empty, err := newPart(reportSchema(), dir, name)
		if err == nil {
			err = empty.finish()
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", l.dir, err)
		}
	}
	for name, text := range map[string]string{"duckdb.sql": duckDB(), "athena.sql": athena()} {
		err := ownfile.Write(filepath.Join(l.dir, name), func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Abort removes the unfinished files of the current report. Finished reports
// stay.
func (l *Lake) Abort() {
	if l.rows != nil {
		l.rows.abort()
	}
	if l.found != nil {
		l.found.abort()
	}
	l.rows, l.found = nil, nil
}

const suffix = ".parquet"

// Rows are collected before they go to the writer. They are written as a group
// when there are this many, which determines the memory of a Parquet file.
const batchRows, groupRows = 256, 16_384

// part is an unfinished file of a table.
type part struct {
	file *ownfile.Pending
	// The generic writer, which parquet-go prefers for Go values, makes the program
	// 2.3 MB larger, and rows need none of that.
	table *parquet.Writer //nolint:staticcheck // see above
	batch []parquet.Row
}

var options = []parquet.WriterOption{parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(groupRows)}

func newPart(schema *parquet.Schema, dir, name string) (*part, error) {
	if err := ownfile.MkdirAll(dir); err != nil {
		return nil, err
	}
	// Readers of such folders ignore names that begin with a dot.
	f, err := ownfile.Create(filepath.Join(dir, name+suffix))
	if err != nil {
		return nil, err
	}
	table := parquet.NewWriter(f, append(options, schema)...)
	return &part{file: f, table: table, batch: make([]parquet.Row, 0, batchRows)}, nil
}

// next returns the place for the next row, which contains an old one.
func (p *part) next() (*parquet.Row, error) {
	if len(p.batch) == cap(p.batch) {
		if err := p.flush(); err != nil {
			return nil, err
		}
	}
	p.batch = p.batch[:len(p.batch)+1]
	return &p.batch[len(p.batch)-1], nil
}

func (p *part) flush() error {
	_, err := p.table.WriteRows(p.batch)
	p.batch = p.batch[:0]
	return err
}

func (p *part) finish() error {
	if err := errors.Join(p.flush(), p.table.Close()); err != nil {
		p.file.Abort()
		return err
	}
	return p.file.Commit()
}

func (p *part) abort() { p.file.Abort() }

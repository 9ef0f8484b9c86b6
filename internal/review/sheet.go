package review

import (
	"encoding/csv"
	"io"

	"rollcall/internal/escape"
)

// WriteSheets writes the sheets of all reviewers.
func (r *Review) WriteSheets() error {
	by := map[string][]*Item{}
	for n := range r.Items {
		by[r.Items[n].Reviewer] = append(by[r.Items[n].Reviewer], &r.Items[n])
	}
	for n := range r.Manifest.Reviewers {
		of := &r.Manifest.Reviewers[n]
		if err := writeIn(r.dir, sheetsDir+"/"+of.Sheet+".csv", func(w io.Writer) error {
			return r.writeCSV(w, of, by[of.Name])
		}); err != nil {
			return err
		}
		if err := writeIn(r.dir, sheetsDir+"/"+of.Sheet+".html", func(w io.Writer) error {
			return r.writePage(w, of, by[of.Name])
		}); err != nil {
			return err
		}
	}
	return nil
}

// writeCSV writes a sheet for a spreadsheet. The byte order mark lets Excel read
// it as UTF-8.
func (r *Review) writeCSV(w io.Writer, of *Reviewer, items []*Item) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	header := append([]string{}, identifying...)
	for n := range facts {
		header = append(header, facts[n].name)
	}
	out.Write(append(header, answering...))
	for _, i := range items {
		row := []string{i.Line, r.ShortFreeze(), escape.CSVCell(of.Name)}
		for n := range facts {
			row = append(row, facts[n].cellOf(i))
		}
		for _, name := range answering {
			cell := ""
			if name == columnBy {
				cell = escape.CSVCell(of.Name)
			}
			row = append(row, cell)
		}
		out.Write(row)
	}
	out.Flush()
	return out.Error()
}

package render

import (
	"bufio"
	"io"
	"iter"

	"rollcall/report"
)

// JSON writes the rows as one JSON array, one row on a line.
func JSON(w io.Writer, rows iter.Seq2[*report.Row, error]) error {
	return writeJSON(w, rows, "[\n", ",\n", "\n]\n", "[]\n")
}

// JSONLines writes every row as a JSON object on its own line.
func JSONLines(w io.Writer, rows iter.Seq2[*report.Row, error]) error {
	return writeJSON(w, rows, "", "\n", "\n", "")
}

func writeJSON(w io.Writer, rows iter.Seq2[*report.Row, error], begin, between, end, none string) error {
	b := bufio.NewWriterSize(w, 64<<10)
	var line []byte
	first := true
	for row, err := range rows {
		if err != nil {
			return err
		}
		line = append(line[:0], between...)
		if first {
			line = append(line[:0], begin...)
			first = false
		}
		line = row.AppendJSON(line)
		if _, err := b.Write(line); err != nil {
			return err
		}
	}
	if first {
		end = none
	}
	if _, err := b.WriteString(end); err != nil {
		return err
	}
	return b.Flush()
}

// CSV writes the rows as a report. It repairs other line ends and a byte order
// mark, so the file is the one that AWS wrote.
func CSV(w io.Writer, columns report.Columns, rows iter.Seq2[*report.Row, error]) error {
	out := report.NewWriter(w, columns)
	for row, err := range rows {
		if err != nil {
			return err
		}
		if err := out.WriteRow(row); err != nil {
			return err
		}
	}
	return out.Flush()
}

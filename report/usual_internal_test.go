package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// cells are texts that reports contain, and texts that resemble them.
var cells = []string{
	"N/A", "N/A", "n/a", "N/", "N/A ", "N/AN/A", "no_information", "NO_INFORMATION", "not_supported", "not_\u017fupported",
	"true", "false", "TRUE", "False", "truee", "fals", "2026-09-11T13:14:52Z", "2026-09-11T13:14:52+00:00",
	"2026-09-11T13:14:52.5Z", "2026-02-30T00:00:00Z", "2026-09-11T13:14:52z", "2026-09-11T13:14:52ZZ", "2026-09-11",
	"0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "20260911T131452Z....", "", " ", "eu-west-1", "é", "\r", "n",
}

// drawHeader returns the columns user and arn, and some others in any order.
func drawHeader(t *rapid.T) []string {
	header := append(slices.Clone(names23), "more", "most")
	if rapid.Bool().Draw(t, "shuffled") {
		header = rapid.Permutation(header).Draw(t, "header")
	}
	return slices.DeleteFunc(header, func(name string) bool {
		return name != "user" && name != "arn" && rapid.IntRange(0, 9).Draw(t, "dropped") == 0
	})
}

// TestUsualCells checks that a line that is read cell by cell, most cells by
// comparing them with the texts that most have, gives the same row as cells that
// were split first.
func TestUsualCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		header := drawHeader(t)
		rd := &Reader{rows: newRows(strings.NewReader(""))}
		if err := rd.header(header); err != nil {
			t.Fatal(err)
		}
		rd.rows.clean = true
		n := len(header) + rapid.SampledFrom([]int{0, 0, 0, 0, 1, -1}).Draw(t, "more cells")
		record := rapid.SliceOfN(rapid.SampledFrom(cells), n, n).Draw(t, "cells")
		want := Row{Created: AtUnix(1), Keys: [2]Key{{Active: True}}, Extra: []Cell{{"old", "old"}}}
		got := want
		if rd.readPlain(&got, strings.Join(record, ",")) != (n == len(header)) {
			t.Fatalf("%d cells for %d columns", n, len(header))
		}
		if n != len(header) {
			return
		}
		rd.clear(&want)
		for i, cell := range record {
			rd.set(&want, i, cell)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Time{}, Text{})); diff != "" {
			t.Fatalf("%q of %q: -split +plain\n%s", record, header, diff)
		}
	})
}

// drawFile returns a file that resembles a report, with all the damage that
// files have.
func drawFile(t *rapid.T) string {
	var file strings.Builder
	if rapid.IntRange(0, 5).Draw(t, "mark") == 0 {
		file.WriteString("\ufeff")
	}
	newline := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "newline")
	header := drawHeader(t)
	file.WriteString(strings.Join(header, ",") + newline)
	for range rapid.IntRange(0, 40).Draw(t, "rows") {
		record := rapid.SliceOfN(rapid.SampledFrom(cells), len(header), len(header)).Draw(t, "cells")
		at := rapid.IntRange(0, len(record)-1).Draw(t, "at")
		switch rapid.IntRange(0, 40).Draw(t, "damage") {
		case 0:
			record = record[at:]
		case 1:
			record[at] = `a"b`
		case 2, 3, 4:
			record[at] = `"a, ""b""` + newline + `c"`
		case 5:
			record[at] = "a\x00"
		case 6:
			record[at] = "a\xff"
		case 7:
			record[at] = strings.Repeat("long ", rapid.SampledFrom([]int{1000, 3000, 14000}).Draw(t, "long"))
		case 8:
			record[at] = `"without an end`
		case 9, 10:
			file.WriteString(newline)
		case 11:
			record = append(record, "one too many")
		}
		file.WriteString(strings.Join(record, ",") + newline)
	}
	text := file.String()
	if rapid.Bool().Draw(t, "cut off") {
		text = text[:len(text)-rapid.IntRange(0, min(len(text), 300)).Draw(t, "bytes")]
	}
	return text
}

// told returns what a reader says about a file: each row with its line, and the
// error.
func told(r io.Reader) string {
	rd, err := NewReader(r)
	var all strings.Builder
	for err == nil {
		var row Row
		if err = rd.Read(&row); err == nil {
			fmt.Fprintf(&all, "%d %q\n", rd.Line(), fmt.Sprintf("%+v", row))
		}
	}
	var where *Error
	errors.As(err, &where)
	return all.String() + fmt.Sprintf("%v %+v", err, where)
}

// TestBlocks checks that rows, lines and errors do not depend on how many bytes
// the source returns at a time. With one byte at a time, every block is a line.
func TestBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		file := drawFile(t)
		compareBlocks(t, []byte(file))
	})
}

func compareBlocks(t interface{ Fatalf(string, ...any) }, file []byte) {
	want := told(iotest.OneByteReader(bytes.NewReader(file)))
	for name, r := range map[string]io.Reader{
		"at once": bytes.NewReader(file), "with the end": iotest.DataErrReader(bytes.NewReader(file)),
		"in halves": iotest.HalfReader(bytes.NewReader(file)),
	} {
		if got := told(r); got != want {
			t.Fatalf("%s:\n%s\nbyte by byte:\n%s\nin\n%q", name, got, want, file)
		}
	}
}

// FuzzBlocks is TestBlocks for any file.
func FuzzBlocks(f *testing.F) {
	f.Add([]byte("user,arn\na,b\n\n\"c\n\",d\r\ne\"f,g\n"))
	f.Add([]byte("\ufeffuser,arn,mfa_active\r\na,b,true\r\nc,d"))
	f.Fuzz(func(t *testing.T, file []byte) { compareBlocks(t, file) })
}

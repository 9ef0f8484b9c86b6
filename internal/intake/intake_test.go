package intake

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/klauspost/compress/zstd"

	"rollcall/report"
)

const csv = "user,arn,password_enabled\n<root_account>,arn:aws:iam::123456789012:root,true\n" +
	"Zoë,arn:aws:iam::123456789012:user/Zoë,false"

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

func zstandard(text string) string {
	var b bytes.Buffer
	w, _ := zstd.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

func zipped(name string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, _ := w.Create(name)
	io.WriteString(f, csv)
	w.Close()
	return b.String()
}

// utf returns a text in UTF-16 with a byte order mark. The low byte comes first
// or last.
func utf(text string, low int) string {
	var b []byte
	for _, u := range append([]uint16{0xfeff}, utf16.Encode([]rune(text))...) {
		pair := [2]byte{}
		pair[low], pair[1-low] = byte(u), byte(u>>8)
		b = append(b, pair[:]...)
	}
	return string(b)
}

func numbers(text string) string {
	var all []string
	for i := range len(text) {
		all = append(all, fmt.Sprint(text[i]))
	}
	return "[" + strings.Join(all, ",\r\n    ") + "]"
}

func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func find(t *testing.T, text string) (File, error) {
	t.Helper()
	return Read(bufio.NewReaderSize(strings.NewReader(text), Head))
}

// TestForms reads the same report in every form.
func TestForms(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString([]byte(csv))
	at := time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC)
	answer := func(content, generated string) string {
		return `{"Content": ` + content + `, "ReportFormat": "text/csv", "GeneratedTime": ` + generated + `}`
	}
	quoted := marshal(b64)
	quotes := "\"user\",\"arn\",\"password_enabled\"\r\n\"<root_account>\",\"arn:aws:iam::123456789012:root\"," +
		"\"true\"\r\n\"Zoë\",\"arn:aws:iam::123456789012:user/Zoë\",\"false\"\r\n"
	for name, test := range map[string]struct {
		text  string
		plain bool
		at    time.Time
	}{
		"as it is":                {text: csv, plain: true},
		"blank lines":             {text: "\n\r\n" + strings.ReplaceAll(csv, "\n", "\r\n\r\n") + "\n\n", plain: true},
		"a byte order mark":       {text: "\ufeff" + csv, plain: true},
		"PowerShell 7":            {text: quotes, plain: true},
		"Windows PowerShell":      {text: utf("#TYPE System.Management.Automation.PSCustomObject\r\n"+quotes, 0)},
		"#TYPE":                   {text: "#TYPE Selected.X\r\n" + quotes},
		"#TYPE after a mark":      {text: "\ufeff#TYPE Selected.X\n" + csv},
		"UTF-16, low byte first":  {text: utf(csv, 0)},
		"UTF-16, high byte first": {text: utf(csv, 1)},
		"gzip":                    {text: gzipped(csv)},
		"zstd":                    {text: zstandard(csv)},
		"gzip twice":              {text: gzipped(gzipped(csv))},
		"gzip of an answer":       {text: gzipped(answer(quoted, `"2026-11-23T10:15:00Z"`)), at: at},
		"zstd of UTF-16":          {text: zstandard(utf(csv, 0))},
		"Content alone":           {text: b64 + "\n"},
		"Content in lines":        {text: b64[:40] + "\n" + b64[40:] + "\n"},
		"Content as JSON":         {text: quoted},
		"text of the AWS CLI":     {text: b64 + "\t2026-11-23T10:15:00+00:00\ttext/csv\n", at: at},
		"the AWS CLI":             {text: answer(quoted, `"2026-11-23T10:15:00+00:00"`), at: at},
		"the AWS CLI by >":        {text: utf(answer(quoted, `"2026-11-23T10:15:00+00:00"`), 0), at: at},
		"seconds":                 {text: answer(quoted, `1795428900`), at: at},
		"seconds with a part":     {text: answer(quoted, `1795428900.25`), at: at},
		"milliseconds":            {text: answer(quoted, `1795428900000`), at: at},
		"seconds as text":         {text: answer(quoted, `"1795428900"`), at: at},
		"Microsoft's":             {text: answer(quoted, `"\/Date(1795428900000)\/"`), at: at},
		"Microsoft's object": {
			text: answer(quoted, `{"value": "\/Date(1795428900000)\/", "DisplayHint": 2, "DateTime": "Monday"}`),
			at:   at},
		"another zone": {text: answer(quoted, `"2026-11-23T11:15:00.123+01:00"`),
			at: at.Add(123 * time.Millisecond)},
		"no zone":               {text: answer(quoted, `"2026-11-23T10:15:00"`), at: at},
		"no time":               {text: answer(quoted, `null`)},
		"numbers of PowerShell": {text: answer(numbers(csv), `"2026-11-23T10:15:00Z"`), at: at},
		"text of PowerShell":    {text: answer(marshal(csv), `"2026-11-23T10:15:00Z"`), at: at},
		"lines of PowerShell":   {text: answer(marshal(strings.Split(csv, "\n")), `"2026-11-23T10:15:00Z"`), at: at},
		"lines alone":           {text: marshal(strings.Split(csv, "\n"))},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := find(t, test.text)
			if err != nil {
				t.Fatal(err)
			}
			if (f.Content == nil) != test.plain || !f.Generated.Equal(test.at) {
				t.Errorf("%d bytes, %s", len(f.Content), f.Generated)
			}
			if test.plain {
				f.Content = []byte(test.text)
			}
			rows, err := report.ReadAll(bytes.NewReader(f.Content))
			if err != nil || len(rows) != 2 || rows[1].User != "Zoë" || !rows[1].PasswordEnabled.IsFalse() {
				t.Errorf("%+v, %v", rows, err)
			}
		})
	}
}

// TestNoReport checks the description of files that are not reports.
func TestNoReport(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"nothing":      {"", "an empty file; fetch the report again"},
		"blanks":       {" \r\n\n", "an empty file"},
		"a mark alone": {"\ufeff", "an empty file"},
		"text": {"hello there\n",
			`text that begins with "hello there"; the first line of a report names`},
		"another CSV": {"name,age\nBo,7\n", `text that begins with "name,age"`},
		"semicolons": {"user;arn;password_enabled\nBo;arn:aws:iam::123456789012:user/Bo;true\n",
			"separated by semicolons; save it with commas"},
		"semicolons, quoted": {"\"user\";\"arn\";\"x\"\n", "separated by semicolons"},
		"tabs":               {"user\tarn\tpassword_enabled\n", "separated by tabs"},
		"HTML": {"<!DOCTYPE html><html><title>Sign in</title>",
			"an HTML page; it may be a page to sign in"},
		"XML": {`<?xml version="1.0"?><x/>`, "XML"},
		"the raw answer": {`<GetCredentialReportResponse xmlns="x"><Content>`,
			"the raw XML answer of GetCredentialReport; fetch it with"},
		"JSON of something":   {`{"Users": []}`, "JSON of something else: it has no Content"},
		"a list of something": {`[{"user": "bo"}]`, "JSON of something else"},
		"JSON lines": {"{\"user\": \"bo\"}\n{\"user\": \"cy\"}\n",
			"several JSON values, one after the other; give the whole answer"},
		"half an answer":   {`{"Content": "dXNl`, "JSON that is damaged or cut off"},
		"the other answer": {`{"State": "COMPLETE"}`, "the answer of generate-credential-report"},
		"a stream": {`{"Content": {"CanRead": true}, "GeneratedTime": "2026-11-23T10:15:00Z"}`,
			"an object of PowerShell's; write it by '(Get-IAMCredentialReport -Raw)"},
		"a wrong time": {`{"Content": "dXNlcixhcm4sbWZhX2FjdGl2ZQo=", "GeneratedTime": "soon"}`,
			`whose GeneratedTime, "soon", is not a time`},
		"a wrong Content":   {`{"Content": "aGVsbG8=", "GeneratedTime": 1}`, `text that begins with "hello"`},
		"numbers too large": {`{"Content": [117, 1000]}`, "an object of PowerShell's"},
		"a zip archive":     {zipped("report.csv"), "a zip archive; unpack it first"},
		"a workbook":        {zipped("xl/workbook.xml"), "an Excel workbook; save it as CSV"},
		"binary":            {"\x00\x01\x02\xff", "a binary file"},
		"Latin-1":           {"us\xe9r,arn\n", "a binary file"},
		"xz":                {"\xfd7zXZ\x00\x00", "an xz file; unpack it first"},
		"bzip2":             {"BZh91AY", "a bzip2 file"},
		"PDF":               {"%PDF-1.7", "a PDF file; give the CSV"},
		"gzip cut off":      {gzipped(strings.Repeat(csv, 99))[:60], "a gzip file that is damaged or cut off"},
		"gzip, head alone":  {"\x1f\x8b", "a gzip file that is damaged or cut off"},
		"zstd cut off":      {zstandard(csv)[:30], "a zstd file that is damaged or cut off"},
		"gzip of text":      {gzipped("hello"), `text that begins with "hello"`},
		"base64 cut off":    {"dXNlcixhcm4sc", "base64 that is damaged or cut off"},
		"findings": {"status,user,arn,class\nFAIL,bo,arn:aws:iam::123456789012:user/bo,human\n",
			"a table of something else, which also has the columns user and arn"},
		"packed over and over": {gzipped(gzipped(gzipped(gzipped(gzipped(csv))))), "packed over and over"},
		"a column twice":       {"user,arn,user\n", "a report whose first line is damaged"},
		"no ARN":               {"user,password_enabled\n", "a report whose first line is damaged"},
		"an error": {
			"\nAn error occurred (ReportNotPresent) when calling the GetCredentialReport operation: Unknown\n",
			"an error message of the AWS CLI: An error occurred (ReportNotPresent)"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := find(t, test.text)
			var no *Error
			if !errors.As(err, &no) {
				t.Fatalf("%+v, %v", f, err)
			}
			if no.Do == "" {
				t.Errorf("%s, and not what to do", err)
			}
			if got := err.Error(); !strings.HasPrefix(got, "this is not a credential report: it looks like ") ||
				!strings.Contains(got, test.want) {
				t.Error(got)
			}
			for _, word := range []string{"unmarshal", "parsing time", "invalid character"} {
				if strings.Contains(err.Error(), word) {
					t.Errorf("%s is Go's", err)
				}
			}
		})
	}
}

// TestBombs checks that nothing beyond the limit is unpacked, and only reports are.
func TestBombs(t *testing.T) {
	const limit = 1 << 20
	rows := csv + strings.Repeat("\nuser,arn:aws:iam::123456789012:user/user,false", limit/40)
	many := marshal(struct {
		Content, GeneratedTime string
	}{base64.StdEncoding.EncodeToString([]byte(rows)), "2026-11-23T10:15:00Z"})
	for name, text := range map[string]string{
		"gzip": gzipped(rows), "zstd": zstandard(rows), "UTF-16": utf(rows, 0), "an answer": many,
		"gzip of an answer": gzipped(many),
		"base64":            base64.StdEncoding.EncodeToString([]byte(rows)),
	} {
		_, err := reader{limit: limit}.read(bufio.NewReaderSize(strings.NewReader(text), Head), 0)
		if err == nil || !strings.Contains(err.Error(), "unpacks to more than") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The head is enough to recognize a gigabyte of zeros.
	pack, unpack := io.Pipe()
	go func() {
		w := gzip.NewWriter(unpack)
		zeros := make([]byte, 1<<20)
		for range 1 << 10 {
			if _, err := w.Write(zeros); err != nil {
				return
			}
		}
		w.Close()
		unpack.Close()
	}()
	if _, err := Read(bufio.NewReaderSize(pack, Head)); err == nil || !strings.Contains(err.Error(), "a binary file") {
		t.Error(err)
	}
	pack.Close()
}

// FuzzRead checks that no input causes a panic, and that only reports are
// found.
func FuzzRead(f *testing.F) {
	for _, text := range []string{csv, gzipped(csv), zstandard(csv), utf(csv, 0), utf(csv, 1),
		`{"Content":"dXNlcixhcm4K"}`, "#TYPE x\n" + csv, "dXNlcixhcm4K", zipped("x"), "\xff\xfe"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := reader{limit: 1 << 20}.read(bufio.NewReaderSize(bytes.NewReader(text), Head), 0)
		if err != nil {
			return
		}
		if got.Content == nil {
			got.Content = text
		}
		if _, err := report.NewReader(bytes.NewReader(got.Content)); err != nil {
			t.Error(err)
		}
	})
}

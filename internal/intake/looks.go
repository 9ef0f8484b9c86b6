package intake

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

const wantCSV = "give the CSV that get-credential-report returned"

// foreign lists the beginnings of known forms that are not supported.
var foreign = []struct {
	begins   string
	has      string // somewhere in the head
	look, do string
}{
	{"PK\x03\x04", "xl/", "an Excel workbook", "save it as CSV"},
	{"PK\x03\x04", "[Content_Types].xml", "an Excel workbook", "save it as CSV"},
	{"PK\x03\x04", "", "a zip archive", "unpack it first"},
	{"PK\x05\x06", "", "an empty zip archive", wantCSV},
	{"BZh", "", "a bzip2 file", "unpack it first"},
	{"\xfd7zXZ\x00", "", "an xz file", "unpack it first"},
	{"7z\xbc\xaf", "", "a 7-Zip archive", "unpack it first"},
	{"%PDF", "", "a PDF file", wantCSV},
	{"PAR1", "", "a Parquet file", "read the CSV that it was created from"},
	{"SQLite format 3", "", "an SQLite database", wantCSV},
}

// looksLike describes a file that does not have the header of a report. text is
// the head without a byte order mark.
func looksLike(head, text []byte, why error) *Error {
	for _, f := range foreign {
		if bytes.HasPrefix(head, []byte(f.begins)) && bytes.Contains(head, []byte(f.has)) {
			return &Error{f.look, f.do}
		}
	}
	if text[0] == '<' {
		return markup(text)
	}
	if isBinary(head) {
		return &Error{"a binary file", wantCSV}
	}
	line, _, _ := strings.Cut(string(text), "\n")
	line = strings.TrimRight(line, "\r")
	for by, name := range map[string]string{";": "semicolons", "\t": "tabs"} {
		if parts := strings.Split(line, by); len(parts) > 2 && strings.Trim(parts[0], `"`) == "user" {
			return &Error{"a report whose columns are separated by " + name,
				"save it with commas, or give the file that was fetched: a spreadsheet changes dates as well"}
		}
	}
	switch {
	case strings.HasPrefix(line, "user,") || strings.HasPrefix(line, `"user",`):
		return &Error{"a report whose first line is damaged (" + why.Error() + ")", "fetch it again"}
	case strings.Contains(line, "An error occurred ("):
		return &Error{"an error message of the AWS CLI: " + shorten(line), "fetch the report again"}
	}
	return &Error{fmt.Sprintf("text that begins with %q", shorten(line)),
		"the first line of a report names its columns, user and arn among them"}
}

func markup(text []byte) *Error {
	switch lower := bytes.ToLower(text); {
	case bytes.Contains(lower, []byte("<getcredentialreportresponse")):
		return &Error{"the raw XML answer of GetCredentialReport", "fetch it with 'rollcall report get' or the AWS CLI"}
	case bytes.Contains(lower, []byte("<html")), bytes.Contains(lower, []byte("<!doctype html")):
		return &Error{"an HTML page", "it may be a page to sign in; give the CSV itself"}
	}
	return &Error{"XML", "give the CSV itself"}
}

// isBinary says whether bytes are not text. The end of the head may cut the last
// character in two.
func isBinary(head []byte) bool {
	if bytes.IndexByte(head, 0) >= 0 {
		return true
	}
	for cut := range min(utf8.UTFMax, len(head)) {
		if utf8.Valid(head[:len(head)-cut]) {
			return false
		}
	}
	return true
}

func shorten(line string) string {
	const most = 60
	if r := []rune(line); len(r) > most {
		return string(r[:most]) + "…"
	}
	return line
}

package intake

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/lazyregexp"
)

// answer is an answer of GetCredentialReport, in the JSON of any program.
type answer struct {
	Content       json.RawMessage
	GeneratedTime json.RawMessage
	State         *string // of GenerateCredentialReport
}

// json finds the report in JSON.
func (x reader) json(r io.Reader, layer int) (File, error) {
	text, err := x.all(r)
	if err != nil {
		return File{}, err
	}
	text = bytes.TrimSpace(bytes.TrimPrefix(text, markUTF8))
	if text[0] == '[' { // the lines, as Get-IAMCredentialReport -SplitLines | ConvertTo-Json
		var lines []string
		if json.Unmarshal(text, &lines) != nil || len(lines) == 0 {
			return File{}, &Error{"JSON of something else", wantAnswer}
		}
		return x.content([]byte(strings.Join(lines, "\n")), layer)
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		if json.NewDecoder(bytes.NewReader(text)).Decode(&a) == nil {
			return File{}, &Error{"several JSON values, one after the other", wantAnswer}
		}
		return File{}, &Error{"JSON that is damaged or cut off", "fetch the report again"}
	}
	switch {
	case isNull(a.Content) && a.State != nil:
		return File{}, &Error{"the answer of generate-credential-report", wantAnswer}
	case isNull(a.Content):
		return File{}, &Error{"JSON of something else: it has no Content", wantAnswer}
	}
	content, problem := contentOf(a.Content)
	if problem != nil {
		return File{}, problem
	}
	f, err := x.content(content, layer)
	if err != nil {
		return f, err
	}
	if !isNull(a.GeneratedTime) {
		at, ok := timeOf(a.GeneratedTime)
		if !ok {
			given := shorten(string(a.GeneratedTime))
			return File{}, &Error{
				"an answer of get-credential-report whose GeneratedTime, " + given + ", is not a time",
				"it has a form such as 2026-09-01T00:00:00Z",
			}
		}
		f.Generated = at
	}
	return f, nil
}

const wantAnswer = "give the whole answer of get-credential-report, or the CSV in it"

func isNull(m json.RawMessage) bool { return len(m) == 0 || string(m) == "null" }

// contentOf returns the report from its form in JSON: base64, a list of its bytes
// or lines, or plain text.
func contentOf(m json.RawMessage) ([]byte, *Error) {
	var text string
	if json.Unmarshal(m, &text) == nil {
		if raw, err := base64.StdEncoding.DecodeString(text); err == nil {
			return raw, nil
		}
		return []byte(text), nil
	}
	var lines []string
	if json.Unmarshal(m, &lines) == nil {
		return []byte(strings.Join(lines, "\n")), nil
	}
	var numbers []uint8
	if json.Unmarshal(m, &numbers) == nil {
		return numbers, nil
	}
	return nil, &Error{"an answer of get-credential-report whose Content is an object of PowerShell's",
		"write it by '(Get-IAMCredentialReport -Raw) > report.csv'"}
}

// The forms of times without a zone, which count as UTC.
var zoneless = []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05"}

// microsoft matches a time in milliseconds, in the form of ConvertTo-Json of
// Windows PowerShell.
var microsoft = lazyregexp.New(`^/Date\((-?[0-9]{1,15})(?:[+-][0-9]{4})?\)/$`)

// timeOf reads a time: RFC 3339, seconds or milliseconds since 1970, and the
// forms of PowerShell.
func timeOf(m json.RawMessage) (time.Time, bool) {
	var object struct{ Value json.RawMessage }
	if m[0] == '{' {
		if json.Unmarshal(m, &object) != nil || isNull(object.Value) || object.Value[0] == '{' {
			return time.Time{}, false
		}
		m = object.Value
	}
	var text string
	if json.Unmarshal(m, &text) != nil {
		return since1970(string(m))
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC(), true
	}
	for _, form := range zoneless {
		if at, err := time.Parse(form, text); err == nil {
			return at, true
		}
	}
	if ms := microsoft.FindStringSubmatch(text); ms != nil {
		n, _ := strconv.ParseInt(ms[1], 10, 64)
		return time.UnixMilli(n).UTC().Truncate(time.Second), true
	}
	return since1970(text)
}

// since1970 reads seconds, or milliseconds if seconds would be beyond the year
// 5138.
func since1970(text string) (time.Time, bool) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n <= 0 || n > 1e14 {
		return time.Time{}, false
	}
	if n > 1e11 {
		n /= 1000
	}
	return time.Unix(int64(math.Floor(n)), 0).UTC(), true
}

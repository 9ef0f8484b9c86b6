package console

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"rollcall/internal/policy"
)

// This file shows policy documents with line numbers and colours.

// documentView is the data of the component "document".
type documentView struct {
	Label string
	Lines []documentLine
	Pager pager // if the document is longer than a page
	More  entry // links to the full document if lines are omitted
}

// documentLine is a line, or a gap of omitted lines.
type documentLine struct {
	Number int
	Marked bool   // the line is part of the statements that decided
	Hit    bool   // the line names the requested action
	Says   string // the error in this line
	Parts  []documentPart
	Gap    bool
}

// documentPart is a part of a line and the class of its colour.
type documentPart struct{ Class, Text string }

// lines is a range of lines, both included.
type lines struct{ from, to int }

// decoded returns a document from an answer, where it is percent-encoded.
func decoded(document *string) string {
	text, err := url.PathUnescape(str(document))
	if err != nil {
		return str(document)
	}
	return text
}

// inLines breaks a document into lines if it is written in one line.
func inLines(text string) string {
	var b bytes.Buffer
	if strings.Contains(strings.TrimSpace(text), "\n") || json.Indent(&b, []byte(text), "", "  ") != nil {
		return text
	}
	return b.String()
}

// showDocument returns the view of a whole document.
func showDocument(label, text string, marks ...lines) documentView {
	s := documentView{Label: label}
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		n := i + 1
		s.Lines = append(s.Lines, documentLine{Number: n, Marked: marked(marks, n), Parts: coloured(line)})
	}
	return s
}

func marked(marks []lines, n int) bool {
	for _, m := range marks {
		if m.from <= n && n <= m.to {
			return true
		}
	}
	return false
}

// These limit the part of a document on a page.
const (
	linesPerPage = 400
	bytesPerPage = 60 << 10 // of markup, approximately
	bytesPerLine = 2000
)

// weight estimates the size of a line on a page in bytes.
func (l documentLine) weight() int {
	n := 60 + len(l.Says)
	for _, p := range l.Parts {
		n += 40 + len(p.Text)
	}
	return n
}

// pageOf returns the lines of one page, from the line in the query. AWS has
// policies of 4,000 lines.
func (s documentView) pageOf(v *visit) documentView {
	from, _ := strconv.Atoi(v.query("line"))
	from = max(min(from, len(s.Lines)), 1) - 1
	to, room := from, bytesPerPage
	for to < len(s.Lines) && to-from < linesPerPage && (to == from || room > 0) {
		room -= s.Lines[to].weight()
		to++
	}
	q := v.r.URL.Query()
	if from > 0 {
		q.Del("line")
		s.Pager.First = v.r.URL.Path + "?" + q.Encode()
	}
	if to < len(s.Lines) {
		q.Set("line", strconv.Itoa(to+1))
		s.Pager.Next = v.r.URL.Path + "?" + q.Encode()
	}
	s.Lines = s.Lines[from:to]
	return s
}

// excerpt returns the marked lines and the lines around them, and marks the
// gaps. Of a long marked part it keeps the structure and the lines that name
// the action. at links to the whole document.
func (s documentView) excerpt(around, most int, at entry) documentView {
	marked := 0
	keep := make([]bool, len(s.Lines))
	near := func(i, around int) {
		for j := max(0, i-around); j <= min(i+around, len(s.Lines)-1); j++ {
			keep[j] = true
		}
	}
	for _, l := range s.Lines {
		if l.Marked {
			marked++
		}
	}
	for i, l := range s.Lines {
		switch {
		case l.Says != "", l.Marked && marked <= most:
			near(i, around)
		case l.Hit:
			near(i, 1)
		case l.Marked && l.structural():
			keep[i] = true
		}
	}
	var some []documentLine
	for i, l := range s.Lines {
		if keep[i] && len(some) < most {
			some = append(some, l)
		} else if len(some) > 0 && !some[len(some)-1].Gap && i < len(s.Lines)-1 {
			some = append(some, documentLine{Gap: true})
		}
	}
	if len(some) < len(s.Lines) {
		s.More = at
	}
	s.Lines = some
	return s
}

// structural says whether a line has a member of an object, or only brackets.
func (l documentLine) structural() bool {
	for _, p := range l.Parts {
		if p.Class == "k" {
			return true
		}
	}
	return len(l.Parts) < 2
}

// coloured splits a line of JSON into coloured parts. It also accepts invalid
// JSON: the end of the line ends a string.
func coloured(line string) []documentPart {
	if len(line) > bytesPerLine {
		line = strings.ToValidUTF8(line[:bytesPerLine], "") + "…"
	}
	line = strings.ReplaceAll(strings.TrimSuffix(line, "\r"), "\t", "  ")
	var parts []documentPart
	add := func(class, text string) {
		if n := len(parts); n > 0 && parts[n-1].Class == class {
			parts[n-1].Text += text
		} else if text != "" {
			parts = append(parts, documentPart{class, text})
		}
	}
	effect := false
	for line != "" {
		if line[0] != '"' {
			end := strings.IndexByte(line, '"')
			if end < 0 {
				end = len(line)
			}
			add("", line[:end])
			line = line[end:]
			continue
		}
		end := stringEnd(line)
		text, rest := line[:end], line[end:]
		switch {
		case strings.HasPrefix(strings.TrimLeft(rest, " "), ":"):
			add("k", text)
			effect = text == `"Effect"`
		case effect && text == `"Allow"`:
			add("s allow", text)
		case effect && text == `"Deny"`:
			add("s deny", text)
		default:
			add("s", text)
		}
		line = rest
	}
	return parts
}

// stringEnd returns the end of the string at the start of a line.
func stringEnd(line string) int {
	for i := 1; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(line)
}

// maxTyped limits typed documents, so that a page can show them again. IAM's
// quotas are far lower.
const maxTyped = 32 << 10

// document returns the typed document with normalized line ends.
func (v *visit) document() (string, error) {
	text := strings.ReplaceAll(v.field("document"), "\r\n", "\n")
	if len(text) > maxTyped {
		return "", &problem{
			Status: http.StatusRequestEntityTooLarge,
			Text:   "The document is longer than any that IAM takes, so it was not read.",
		}
	}
	return text, nil
}

// placeOfPrincipal returns the line of a principal that does not exist. This is
// the only error that policy.Locate does not find.
func placeOfPrincipal(text, sentence string) (policy.Position, bool) {
	i := strings.LastIndex(sentence, `":"`)
	if i < 0 {
		return policy.Position{}, false
	}
	value := sentence[i+2:]
	for n, line := range strings.Split(text, "\n") {
		if at := strings.Index(line, value); at >= 0 {
			return policy.Position{Line: n + 1, Column: at + 1}, true
		}
	}
	return policy.Position{}, false
}

// class returns the style class of a line, "" for none.
func (l documentLine) class() string {
	switch {
	case l.Says != "":
		return "bad"
	case l.Hit:
		return "marked hit"
	case l.Marked:
		return "marked"
	}
	return ""
}

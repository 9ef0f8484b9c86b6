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

// Policy documents as pages show them: by lines, with colours.

// documentView holds what the component "document" shows.
type documentView struct {
	Label string
	Lines []documentLine
	Pager pager // where the document is longer than a page
	More  entry // where it can be seen in full, where lines are left out
}

// documentLine is a line, or a gap where lines are left out.
type documentLine struct {
	Number int
	Marked bool   // it is part of what decided
	Hit    bool   // it names the action that is asked about
	Says   string // what is wrong with it
	Parts  []documentPart
	Gap    bool
}

// documentPart is a part of a line with the class of its colour.
type documentPart struct{ Class, Text string }

// lines is a range of lines, both included.
type lines struct{ from, to int }

// decoded is a document as answers have it: percent-encoded.
func decoded(document *string) string {
	text, err := url.PathUnescape(str(document))
	if err != nil {
		return str(document)
	}
	return text
}

// inLines gives a document lines if it was written in one.
func inLines(text string) string {
	var b bytes.Buffer
	if strings.Contains(strings.TrimSpace(text), "\n") || json.Indent(&b, []byte(text), "", "  ") != nil {
		return text
	}
	return b.String()
}

// showDocument makes the view of a whole document.
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

// These bound what a page has of a document.
const (
	linesPerPage = 400
	bytesPerPage = 60 << 10 // of markup, about
	bytesPerLine = 2000
)

// weight is about how many bytes a line is on a page.
func (l documentLine) weight() int {
	n := 60 + len(l.Says)
	for _, p := range l.Parts {
		n += 40 + len(p.Text)
	}
	return n
}

// pageOf leaves of a document the lines of one page, from the line that the
// query names. AWS has policies of 4,000 lines.
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

// excerpt leaves the marked lines and those around them, and says where there
// are gaps. Of long marked parts it leaves what they are made of, and the lines
// that name the action. at is where the whole document is.
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

// structural says that a line has a member of an object, or only brackets.
func (l documentLine) structural() bool {
	for _, p := range l.Parts {
		if p.Class == "k" {
			return true
		}
	}
	return len(l.Parts) < 2
}

// coloured divides a line of JSON into what has a colour. It reads what is no
// JSON too: the end of the line ends a string.
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

// stringEnd is the end of the string that a line begins with.
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

// maxTyped bounds documents that are typed: a page that shows them again has
// room for this much. The quotas of IAM are far below.
const maxTyped = 32 << 10

// document returns the document that was typed, with the ends of lines that
// documents have.
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

// placeOfPrincipal is the line of a principal that does not exist: the only
// thing that is refused and is not found by policy.Locate.
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

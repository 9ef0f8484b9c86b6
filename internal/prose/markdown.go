package main

import (
	"strings"
	"unicode/utf8"
)

const mostColumns = 120

// widthOf returns a finding if the line is too wide.
func widthOf(path string, line int, text string) []finding {
	n := utf8.RuneCountInString(text)
	if n <= mostColumns {
		return nil
	}
	return []finding{{path, line, wide, strings.TrimSpace(string([]rune(text)[:60])) + " …", ""}}
}

// passage is text that is read as one, whichever lines it is broken into.
type passage struct {
	text   strings.Builder
	starts []start
}

// start says on which line the text from an offset on is.
type start struct{ offset, line int }

func (p *passage) add(line int, text string) {
	if p.text.Len() > 0 {
		p.text.WriteByte(' ')
	}
	p.starts = append(p.starts, start{p.text.Len(), line})
	p.text.WriteString(text)
}

// phrases returns the stilted expressions of the passage.
func (p *passage) phrases(path string) []finding {
	var found []finding
	stiltedIn(p.text.String(), func(start, end int, s stilted) {
		line := 0
		for _, st := range p.starts {
			if st.offset <= start {
				line = st.line
			}
		}
		found = append(found, finding{path, line, phrase, p.text.String()[start:end], s.better})
	})
	return found
}

// readMarkdown reads a document. A paragraph is one passage, even if it is
// a list or a table. Code blocks and tables may be wide.
func readMarkdown(path, text string) ([]finding, error) {
	var found []finding
	var p passage
	code := false
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(trimmed, "```"):
			code = !code
			fallthrough
		case trimmed == "":
			found = append(found, p.phrases(path)...)
			p = passage{}
			continue
		case !code && !strings.HasPrefix(trimmed, "|"):
			found = append(found, widthOf(path, i+1, line)...)
		}
		p.add(i+1, trimmed)
	}
	return append(found, p.phrases(path)...), nil
}

// readPlain reads any other text: what its comments and lines say.
func readPlain(path, text string) ([]finding, error) {
	var found []finding
	var p passage
	comment := ""
	end := func() {
		found = append(found, p.phrases(path)...)
		if words := opensBadly(p.text.String()); words != "" && comment != "" {
			found = append(found, finding{path, p.starts[0].line, opening, words, ""})
		}
		p = passage{}
	}
	for i, line := range strings.Split(text, "\n") {
		mark, words := commentOf(strings.TrimSpace(line))
		if mark != comment || words == "" {
			end()
		}
		comment = mark
		if words != "" {
			p.add(i+1, words)
		}
	}
	end()
	return found, nil
}

// commentOf cuts the mark of a comment off a line.
func commentOf(line string) (mark, words string) {
	for _, mark := range []string{"//", "--", "#", "*", "/*"} {
		if rest, ok := strings.CutPrefix(line, mark); ok && (rest == "" || rest[0] == ' ') {
			return mark, strings.TrimSpace(rest)
		}
	}
	return "", line
}

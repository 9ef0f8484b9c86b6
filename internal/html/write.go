package html

import (
	"bufio"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"strings"

	"rollcall/internal/audit"
	"rollcall/internal/look"
)

//go:embed page
var files embed.FS

// scripts are the parts of the script, in their order.
var scripts = []string{
	"data.js", "rows.js", "texts.js", "dom.js", "list.js", "route.js", "overview.js", "trend.js", "heatmap.js",
	"accounts.js", "keys.js", "credentials.js", "csv.js", "fix.js", "detail.js", "mfa.js", "changes.js",
	"controls.js", "paper.js", "main.js",
}

// styles are the parts of the style, in their order.
var styles = []string{"page.css", "overview.css", "print.css"}

// Write writes the page. The summary must belong to the run whose reports were
// gathered. A report that it does not contain is an error.
func (b *Builder) Write(w io.Writer, s *audit.Summary) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	gathered, err := b.inOrder(s)
	if err != nil {
		return err
	}
	blocks, leftOut := b.fitting(gathered)
	known := b.data(s, gathered)
	known.LeftOut = leftOut
	data, err := json.Marshal(known) // it escapes <, > and &
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	parts, err := frame(b.options.Title)
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	out := bufio.NewWriterSize(w, 64<<10)
	out.WriteString(parts[0])
	out.Write(data)
	out.WriteString(parts[1])
	out.WriteByte('[')
	for i, rows := range blocks {
		if i > 0 {
			out.WriteByte(',')
		}
		rows.writeTo(out)
	}
	out.WriteByte(']')
	out.WriteString(parts[2])
	return out.Flush()
}

// inOrder returns the report of each account of the summary, nil for none.
func (b *Builder) inOrder(s *audit.Summary) ([]*Report, error) {
	places := make(map[*audit.AccountSummary]int, len(s.Accounts))
	for i, a := range s.Accounts {
		places[a] = i
	}
	reports := make([]*Report, len(s.Accounts))
	for _, r := range b.reports {
		if r.summary == nil {
			continue
		}
		i, ok := places[r.summary]
		if !ok {
			return nil, errors.New("write page: the summary is of another run")
		}
		reports[i] = r
	}
	return reports, nil
}

// frame returns the three parts of the page without data: before the data, between
// the data and the rows, and after the rows.
func frame(title string) (parts [3]string, err error) {
	page, err := files.ReadFile("page/page.html")
	if err != nil {
		return parts, err
	}
	style, err := joined([]byte(look.CSS), styles)
	if err != nil {
		return parts, err
	}
	// Within a function, the script's names cannot collide with the browser's.
	script, err := joined([]byte("(() => {\n'use strict';\n"), scripts)
	if err != nil {
		return parts, err
	}
	script = append(script, "})();\n"...)
	policy := "default-src 'none'; script-src " + look.Hash(script) + "; style-src " + look.Hash(style) +
		"; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	before, rest, _ := strings.Cut(string(page), "{data}")
	between, after, _ := strings.Cut(rest, "{rows}")
	parts[0] = strings.NewReplacer("{policy}", policy, "{style}", string(style), "{title}",
		html.EscapeString(title)).Replace(before)
	parts[1], parts[2] = between, strings.Replace(after, "{script}", string(script), 1)
	return parts, nil
}

// joined returns a text and the named parts of the page after it.
func joined(text []byte, names []string) ([]byte, error) {
	for _, name := range names {
		part, err := files.ReadFile("page/" + name)
		if err != nil {
			return nil, err
		}
		text = append(text, part...)
	}
	return text, nil
}

// columns returns the columns of the rows with their names in the page.
func (s *rows) columns() []namedColumn {
	return []namedColumn{
		{"name", s.name}, {"path", s.path}, {"class", s.class}, {"created", s.created}, {"mfa", s.mfa},
		{"line", s.line}, {"held", s.held},
		{"what", s.what}, {"state", s.state}, {"made", s.made}, {"used", s.used}, {"region", s.region},
		{"service", s.service}, {"found", s.found},
		{"control", s.control}, {"verdict", s.verdict}, {"cell", s.cell}, {"reason", s.reason},
		{"args", s.args}, {"more", s.more}, {"strings", s.strings},
	}
}

type namedColumn struct {
	name   string
	column column
}

// bytes returns the approximate length of the rows in the page.
func (s *rows) bytes() (n int) {
	for _, c := range s.columns() {
		n += len(c.column)
	}
	return n
}

// writeTo writes the columns as a JSON object.
func (s *block) writeTo(w *bufio.Writer) {
	fmt.Fprintf(w, `{"of":%d,"users":%d,"credentials":%d,"findings":%d`, s.of, s.users, s.credentials, s.findings)
	for _, c := range s.columns() {
		fmt.Fprintf(w, ",\n%q:[", c.name)
		w.Write(c.column)
		w.WriteByte(']')
	}
	w.WriteString("}")
}

package html

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"

	"rollcall/internal/audit"
	"rollcall/internal/look"
)

//go:embed page
var files embed.FS

// scripts are the parts of the script, in their order.
var scripts = []string{
	"data.js", "dom.js", "list.js", "route.js", "accounts.js", "keys.js", "credentials.js", "detail.js", "mfa.js",
	"changes.js", "controls.js", "main.js",
}

// Write writes the page. The summary must be of the run whose reports were
// gathered: a report whose outcome is not in it is an error.
func (b *Builder) Write(w io.Writer, s *audit.Summary) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	data, err := json.Marshal(b.data(s)) // which writes no <, > and & as they are
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	gathered := make([]*rows, len(s.Accounts))
	for _, r := range b.reports {
		if r.summary == nil {
			continue
		}
		i := slices.Index(s.Accounts, r.summary)
		if i < 0 {
			return errors.New("write page: the summary is of another run")
		}
		gathered[i] = &r.rows
	}
	before, after, err := frame(b.options.Title)
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	out := bufio.NewWriterSize(w, 64<<10)
	out.WriteString(before)
	out.WriteString(`{"page":`)
	out.Write(data)
	out.WriteString(`,"rows":[`)
	for i, r := range gathered {
		if i > 0 {
			out.WriteByte(',')
		}
		if r == nil {
			out.WriteString("null")
			continue
		}
		r.writeTo(out)
	}
	out.WriteString("]}")
	out.WriteString(after)
	return out.Flush()
}

// frame returns the page as it is before and after its data.
func frame(title string) (before, after string, err error) {
	page, err := files.ReadFile("page/page.html")
	if err != nil {
		return "", "", err
	}
	own, err := files.ReadFile("page/page.css")
	if err != nil {
		return "", "", err
	}
	style := append([]byte(look.CSS), own...)
	var script bytes.Buffer
	script.WriteString("(() => {\n'use strict';\n") // what is declared is not to be the browser's
	for _, name := range scripts {
		part, err := files.ReadFile("page/" + name)
		if err != nil {
			return "", "", err
		}
		script.Write(part)
	}
	script.WriteString("})();\n")
	policy := "default-src 'none'; script-src " + hash(script.Bytes()) + "; style-src " + hash(style) +
		"; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	before, after, _ = strings.Cut(string(page), "{data}")
	before = strings.NewReplacer("{policy}", policy, "{style}", string(style), "{title}",
		html.EscapeString(title)).Replace(before)
	return before, strings.Replace(after, "{script}", script.String(), 1), nil
}

// hash names a script or a style in a Content-Security-Policy.
func hash(content []byte) string {
	sum := sha256.Sum256(content)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// writeTo writes the columns as a JSON object.
func (s *rows) writeTo(w *bufio.Writer) {
	fmt.Fprintf(w, `{"users":%d,"credentials":%d,"findings":%d`, s.users, s.credentials, s.findings)
	for _, c := range []struct {
		name   string
		column column
	}{
		{"name", s.name}, {"path", s.path}, {"class", s.class}, {"created", s.created}, {"mfa", s.mfa},
		{"line", s.line}, {"held", s.held},
		{"what", s.what}, {"state", s.state}, {"made", s.made}, {"used", s.used}, {"region", s.region},
		{"service", s.service}, {"found", s.found},
		{"control", s.control}, {"verdict", s.verdict}, {"cell", s.cell}, {"reason", s.reason},
		{"args", s.args}, {"more", s.more}, {"strings", s.strings},
	} {
		fmt.Fprintf(w, ",\n%q:[", c.name)
		w.Write(c.column)
		w.WriteByte(']')
	}
	w.WriteString("}")
}

package review

import (
	"bytes"
	"embed"
	"encoding/json"
	"html"
	"io"
	"strings"
	"time"

	"rollcall/internal/look"
)

//go:embed page
var pageFiles embed.FS

// pageData is the data of a sheet's page.
type pageData struct {
	Review   string     `json:"review"`
	Freeze   string     `json:"freeze"`
	Reviewer string     `json:"reviewer"`
	Due      string     `json:"due"`
	Frozen   string     `json:"frozen"`
	Started  string     `json:"started"`
	Latest   string     `json:"latest"` // day on which an exception may expire
	Previous string     `json:"previous"`
	Items    []pageItem `json:"items"`
}

type pageItem struct {
	*Item
	Facts string `json:"facts"`
	Fails bool   `json:"fails"`
}

// writePage writes a sheet as a page. The page needs no network, and writes the
// file of decisions.
func (r *Review) writePage(w io.Writer, of *Reviewer, items []*Item) error {
	m := r.Manifest
	data := pageData{
		Review: m.Name, Freeze: r.ShortFreeze(), Reviewer: of.Name, Due: m.Due.String(),
		Started: m.StartedAt.Format(time.DateOnly), Items: make([]pageItem, len(items)),
		Latest: m.StartedAt.AddDate(maxExceptionYears, 0, 0).Format(time.DateOnly),
	}
	if m.Previous != nil {
		data.Previous = m.Previous.Name
	}
	for n, i := range items {
		data.Items[n] = pageItem{i, digestOf(i), i.Fails()}
	}
	text, err := json.Marshal(data) // which escapes <, > and &
	if err != nil {
		return err
	}
	page, err := pageFiles.ReadFile("page/sheet.html")
	if err != nil {
		return err
	}
	own, err := pageFiles.ReadFile("page/sheet.css")
	if err != nil {
		return err
	}
	script, err := pageFiles.ReadFile("page/sheet.js")
	if err != nil {
		return err
	}
	style := append([]byte(look.CSS), own...)
	policy := "default-src 'none'; script-src " + look.Hash(script) + "; style-src " + look.Hash(style) +
		"; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	before, after, _ := strings.Cut(string(page), "{data}")
	before = strings.NewReplacer("{policy}", policy, "{style}", string(style), "{title}",
		html.EscapeString(m.Name+", "+of.Name)).Replace(before)
	var out bytes.Buffer
	out.WriteString(before)
	out.Write(text)
	out.WriteString(strings.Replace(after, "{script}", string(script), 1))
	_, err = out.WriteTo(w)
	return err
}

// Package hostiletest checks that the texts of others never become markup on a page.
package hostiletest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/net/html"
)

// hostile are texts that try to become markup, or an address that is a script.
var hostile = []string{
	`"'><script>alert(1)</script><!-- --></textarea></title></style></script><svg onload=alert(1)> {{.}} ${1} &lt;b&gt;`,
	" onmouseover=alert(1) x='\"`", "javascript:alert(1)", "\n\tJaVaScRiPt:alert(1)", "data:text/html,<script>",
}

// variants is the number of variants of a view. Each is filled in another way, so
// that each part of each template is written in some of them.
const variants = 40

// Page writes a page twice: with words, and with hostile texts, in every place that
// it has for a text. The test fails if more than these texts differs, or if a text
// becomes an address that is a script. write returns the page with a view that View
// has filled.
func Page(t *testing.T, name string, write func(*Filler) templ.Component) {
	t.Helper()
	for _, text := range hostile {
		for variant := range uint64(variants) {
			plain := read(t, write(&Filler{text: "word", variant: variant}))
			got := read(t, write(&Filler{text: text, variant: variant}))
			if len(got) != len(plain) {
				t.Errorf("%s: %q changes the page", name, text)
				break
			}
			for i := range got {
				if got[i].shape != plain[i].shape {
					t.Errorf("%s: %q makes %s of %s", name, text, got[i].shape, plain[i].shape)
				}
				for _, address := range got[i].addresses {
					if isScript(address) {
						t.Errorf("%s: %q is the address %q", name, text, address)
					}
				}
			}
		}
	}
}

// Filler fills the view of a page: every text is the same or empty.
type Filler struct {
	text    string
	variant uint64
	decide  *rand.Rand
}

// Text returns the text with which views are filled.
func (f *Filler) Text() string { return f.text }

// View returns a filled view of a page. It fills exported and other fields, except
// interfaces, functions and addresses that are safe by their type.
func View[T any](f *Filler) T {
	var view T
	f.decide = rand.New(rand.NewPCG(f.variant, 0))
	f.fill(reflect.ValueOf(&view).Elem(), "", 0)
	return view
}

func (f *Filler) fill(v reflect.Value, name string, depth int) {
	switch v.Kind() {
	case reflect.String:
		f.fillText(v, name, depth)
	case reflect.Bool:
		v.SetBool(f.decide.IntN(2) == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(f.decide.Int64N(3))
	case reflect.Slice:
		n := f.decide.IntN(3)
		if name == "Head" {
			n = 2 // as many as there can be cells
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			f.fill(v.Index(i), "", depth+1)
		}
	case reflect.Pointer:
		if depth == 0 || f.decide.IntN(4) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			f.fill(v.Elem(), "", depth+1)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			field := reflect.NewAt(v.Field(i).Type(), v.Field(i).Addr().UnsafePointer()).Elem()
			f.fill(field, v.Type().Field(i).Name, depth+1)
		}
	}
}

// fillText fills a text. Those of the page itself are often empty, because many
// replace the rest of the page.
func (f *Filler) fillText(v reflect.Value, name string, depth int) {
	switch {
	case v.Type() == reflect.TypeFor[templ.SafeURL]():
	case name == "Type":
		v.SetString([]string{"", "area", "user", "password"}[f.decide.IntN(4)])
	case depth == 1 && f.decide.IntN(4) == 0, depth != 1 && f.decide.IntN(4) > 0:
		v.SetString(f.text)
	}
}

// tag is a tag of a page: its shape is all of it but the texts.
type tag struct {
	shape     string
	addresses []string
}

// links are the attributes with an address.
var links = []string{"href", "src", "action", "formaction", "srcset", "style", "data", "poster"}

// read returns everything on a page but its texts.
func read(t *testing.T, page templ.Component) []tag {
	t.Helper()
	var body bytes.Buffer
	if err := page.Render(t.Context(), &body); err != nil {
		t.Fatal(err)
	}
	var all []tag
	for z := html.NewTokenizer(&body); z.Next() != html.ErrorToken; {
		token := z.Token()
		if token.Type == html.TextToken {
			continue
		}
		one := tag{shape: fmt.Sprint(token.Type)}
		if token.Type != html.CommentToken && token.Type != html.DoctypeToken {
			one.shape += " " + token.Data
		}
		for _, a := range token.Attr {
			one.shape += " " + a.Key
			if slices.Contains(links, a.Key) {
				one.addresses = append(one.addresses, a.Val)
			}
		}
		all = append(all, one)
	}
	return all
}

// isScript says whether a browser runs an address, or shows it as a page of its
// own.
func isScript(address string) bool {
	address = strings.ToLower(strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(strings.TrimSpace(address)))
	scheme, _, _ := strings.Cut(address, ":")
	return slices.Contains([]string{"javascript", "vbscript"}, scheme) || strings.HasPrefix(address, "data:text")
}

package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"strings"
	"sync"

	"rollcall/internal/escape"
)

//go:embed pages
var pageFiles embed.FS

// templates are the templates of the pages. Each is parsed when it is first
// shown, so a program that shows no page does not pay for them.
var templates = sync.OnceValues(func() (map[string]func() (*template.Template, error), error) {
	names, err := fs.Glob(pageFiles, "pages/*.html")
	if err != nil {
		return nil, err
	}
	shared := sync.OnceValues(func() (*template.Template, error) {
		return template.New("").Funcs(functions).Option("missingkey=error").
			ParseFS(pageFiles, "pages/layout.html", "pages/components.html", "pages/reportparts.html",
				"pages/accessparts.html")
	})
	all := map[string]func() (*template.Template, error){}
	for _, name := range names {
		all[strings.TrimSuffix(strings.TrimPrefix(name, "pages/"), ".html")] = sync.OnceValues(
			func() (*template.Template, error) {
				base, err := shared()
				if err != nil {
					return nil, err
				}
				t, err := base.Clone()
				if err != nil {
					return nil, err
				}
				return t.ParseFS(pageFiles, name)
			},
		)
	}
	return all, nil
})

// functions are functions for templates in addition to Go's.
var functions = template.FuncMap{
	// visible escapes invisible characters. So names and tags cannot change the
	// order of the characters around them.
	"visible": escape.Printable,
	"link":    link,
	"list":    func(items ...any) []any { return items },
	// absent shows that there is no value.
	"absent": func(text string) template.HTML {
		return template.HTML(`<span class="absent">` + template.HTMLEscapeString(text) + `</span>`)
	},
}

// frame is the data of the layout around a page.
type frame struct {
	Title   string
	Brand   string
	Style   string // addresses of assets
	Script  string
	Nav     []entry
	Who     *someone
	Notice  string
	Problem *problem
	Main    any
}

// entry is an entry of the navigation.
type entry struct {
	Text, Path string
	Current    bool
}

// someone is the person of the session.
type someone struct {
	Name    string // name of the user, "root" for root
	Account string
	Role    *roleShown
	MyPage  entry
}

// roleShown is the role to which a session has switched.
type roleShown struct{ Name, Color string }

// show writes a page from a template of pages/.
func (v *visit) show(name string, main any) error { return v.showAs(name, "", main) }

// showAs is show with another title than the page's.
func (v *visit) showAs(name, title string, main any) error {
	all, err := templates()
	if err != nil {
		return err
	}
	parse := all[name]
	if parse == nil {
		return fmt.Errorf("there is no template %s", name)
	}
	t, err := parse()
	if err != nil {
		return fmt.Errorf("template %s: %w", name, err)
	}
	var body bytes.Buffer
	if err := t.ExecuteTemplate(&body, "layout", v.frame(title, main)); err != nil {
		return fmt.Errorf("template %s: %w", name, err)
	}
	return v.write("text/html; charset=utf-8", &body)
}

// notice returns the stored sentence and removes it, unless another page
// follows by itself.
func (v *visit) notice() string {
	if v.passing {
		return ""
	}
	return v.cookies.notice(v.w, v.r)
}

func (v *visit) frame(title string, main any) frame {
	f := frame{
		Title: title, Brand: "Rollcall", Style: v.assets.style, Script: v.assets.script,
		Notice: v.notice(), Problem: v.problem, Main: main,
	}
	if f.Title == "" && v.page != nil {
		f.Title = v.page.title
	}
	if v.session == nil {
		return f
	}
	for _, n := range navigation {
		if v.pages[n.path] != nil {
			f.Nav = append(f.Nav, entry{n.text, n.path, v.page != nil && v.page.nav == n.key})
		}
	}
	self := v.session.Self
	f.Who = &someone{Name: self.UserName(), Account: self.Account()}
	if self.IsRoot() {
		f.Who.Name = "root"
	}
	if v.session.Role != nil {
		f.Who.Role = &roleShown{v.session.Role.Name, v.session.Role.Color}
	}
	if v.pages[myPath] != nil {
		f.Who.MyPage = entry{"My security credentials", myPath, v.page != nil && v.page.path == myPath}
	}
	return f
}

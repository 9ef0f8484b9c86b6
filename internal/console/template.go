package console

import (
	"bytes"
	"context"
	"fmt"

	"github.com/a-h/templ"

	"rollcall/internal/escape"
)

// visible escapes invisible characters. So names and tags cannot change the order
// of the characters around them.
func visible(text string) string { return escape.Printable(text) }

// either returns one of two texts.
func either(first bool, one, other string) string {
	if first {
		return one
	}
	return other
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
	Main    templ.Component
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

// windowTitle returns the title of the browser's window.
func (f frame) windowTitle() string {
	if f.Title == "" {
		return f.Brand
	}
	return visible(f.Title) + " · " + f.Brand
}

// show writes a page.
func (v *visit) show(main templ.Component) error { return v.showAs("", main) }

// showAs is show with another title than the page's.
func (v *visit) showAs(title string, main templ.Component) error {
	var body bytes.Buffer
	if err := v.frame(title, main).html().Render(context.WithoutCancel(v.r.Context()), &body); err != nil {
		return fmt.Errorf("write the page: %w", err)
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

func (v *visit) frame(title string, main templ.Component) frame {
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

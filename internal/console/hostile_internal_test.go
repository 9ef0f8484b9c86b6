package console

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/a-h/templ"

	"rollcall/internal/hostiletest"
)

// TestHostileTexts writes every page with hostile texts in every place.
func TestHostileTexts(t *testing.T) {
	pages := everyPage()
	if all := viewsOfTemplates(t); !slices.Equal(slices.Sorted(maps.Keys(pages)), all) {
		t.Errorf("the test writes %q, the templates have %q", slices.Sorted(maps.Keys(pages)), all)
	}
	for name, write := range pages {
		hostiletest.Page(t, name, write)
	}
}

type filler = hostiletest.Filler

// everyPage returns a function for each page that writes it with a filled view.
func everyPage() map[string]func(*filler) templ.Component {
	return map[string]func(*filler) templ.Component{
		"authorizeView":    func(f *filler) templ.Component { return hostiletest.View[authorizeView](f).html() },
		"compareView":      func(f *filler) templ.Component { return hostiletest.View[compareView](f).html() },
		"confirmation":     func(f *filler) templ.Component { return confirmation(f.Text()) },
		"editView":         func(f *filler) templ.Component { return hostiletest.View[editView](f).html() },
		"findingsView":     func(f *filler) templ.Component { return hostiletest.View[findingsView](f).html() },
		"frame":            func(f *filler) templ.Component { return framed(f, templ.NopComponent) },
		"historyView":      func(f *filler) templ.Component { return hostiletest.View[historyView](f).html() },
		"inlineView":       func(f *filler) templ.Component { return hostiletest.View[inlineView](f).html() },
		"mayView":          func(f *filler) templ.Component { return hostiletest.View[mayView](f).html() },
		"mfaView":          func(f *filler) templ.Component { return hostiletest.View[mfaView](f).html() },
		"myView":           func(f *filler) templ.Component { return hostiletest.View[myView](f).html() },
		"newDeviceView":    func(f *filler) templ.Component { return hostiletest.View[newDeviceView](f).html() },
		"newUserForm":      func(f *filler) templ.Component { return newUserForm(hostiletest.View[[]field](f)) },
		"newPasswordView":  func(f *filler) templ.Component { return hostiletest.View[newPasswordView](f).html() },
		"newThingView":     func(f *filler) templ.Component { return hostiletest.View[newThingView](f).html() },
		"organizationView": func(f *filler) templ.Component { return hostiletest.View[organizationView](f).html() },
		"overviewView":     func(f *filler) templ.Component { return hostiletest.View[overviewView](f).html() },
		"problem":          func(f *filler) templ.Component { return framed(f, hostiletest.View[*problem](f).html()) },
		"reportUserView":   func(f *filler) templ.Component { return hostiletest.View[reportUserView](f).html() },
		"reportView":       func(f *filler) templ.Component { return hostiletest.View[reportView](f).html() },
		"roleView":         func(f *filler) templ.Component { return hostiletest.View[roleView](f).html() },
		"secretView":       func(f *filler) templ.Component { return hostiletest.View[secretView](f).html() },
		"signInView":       func(f *filler) templ.Component { return hostiletest.View[signInView](f).html() },
		"thingView":        func(f *filler) templ.Component { return hostiletest.View[thingView](f).html() },
		"thingsView":       func(f *filler) templ.Component { return hostiletest.View[thingsView](f).html() },
		"userView":         func(f *filler) templ.Component { return hostiletest.View[userView](f).html() },
		"usersView":        func(f *filler) templ.Component { return hostiletest.View[usersView](f).html() },
		"waiting":          func(f *filler) templ.Component { return hostiletest.View[waiting](f).html() },
	}
}

func framed(f *filler, main templ.Component) templ.Component {
	all := hostiletest.View[frame](f)
	all.Main = main
	return all.html()
}

// viewsOfTemplates returns the types of which the templates make pages.
func viewsOfTemplates(t *testing.T) []string {
	t.Helper()
	views := regexp.MustCompile(
		`(?m)^templ (?:\(\w+ \*?(\w+View|problem|waiting|frame)\) html\(\)|(newUserForm|confirmation)\()`)
	parts := []string{"documentView", "timelineView", "changeView", "trendView", "planView", "heatView"}
	var all []string
	files, err := filepath.Glob("*.templ")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range views.FindAllStringSubmatch(string(text), -1) {
			if view := found[1] + found[2]; !slices.Contains(parts, view) {
				all = append(all, view)
			}
		}
	}
	slices.Sort(all)
	return all
}

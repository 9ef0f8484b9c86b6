package browsertest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// TestAccessible finds what is wrong with a page: a text that is too pale among
// others that are not, at whatever element its colours come from, and only once.
func TestAccessible(t *testing.T) {
	const page = `<!DOCTYPE html><html lang="en"><title>Page</title><meta name="viewport" content="width=device-width">
<style>body { background: white; color: black } .card { background: #eee } .over { position: absolute }</style>
<main><h1>Title</h1><p>One</p><p id="two">Two</p><div class="card" id="card"><p>Three</p><p id="four">Four</p></div>
<p class="over" id="over">Over</p><label>Name <input id="field" value="Alice"></label></main></html>`
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	tab := Open(t, func(string) bool { return true })
	tab.Navigate("file://" + file)
	tab.Accessible("a good page")
	for _, c := range []struct{ change, at string }{
		{`two.style.color = "#ddd"`, `id="two"`},
		{`four.style.fontSize = "10px"; four.style.color = "#999"`, `id="four"`},
		{`card.style.backgroundColor = "#333"`, "<p>Three</p>"},
		{`card.style.backgroundColor = "#eee"; field.style.color = "#ccc"`, `id="field"`},
		{`over.style.top = "0px"; card.style.opacity = "0.3"`, "<p>Three</p>"},
	} {
		Eval[string](tab, c.change)
		if found := tab.contrasts(); !strings.Contains(strings.Join(found, "\n"), c.at) {
			t.Errorf("after %s axe-core found %q", c.change, found)
		}
		if found := tab.contrasts(); found != nil {
			t.Errorf("after %s axe-core checked a look again, and found %q", c.change, found)
		}
	}
	Eval[string](tab, `two.outerHTML = "<img src='data:,'>"`)
	if found := tab.problems("document", map[string]any{"runOnly": []string{"image-alt"}}); len(found) != 1 {
		t.Errorf("axe-core found %q, want one image without a text", found)
	}
}

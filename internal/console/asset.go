package console

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"time"

	"rollcall/internal/look"
)

//go:embed assets/console.js
var script []byte

//go:embed assets/console.css
var style []byte

//go:embed assets/report.css
var reportStyle []byte

//go:embed assets/access.css
var accessStyle []byte

// assetRoot begins the addresses of the files that pages load.
const assetRoot = "/console/assets/"

// assets are these files. Their names depend on their content, so browsers can
// cache them.
type assets struct {
	files         map[string]asset
	style, script string // their addresses
}

type asset struct {
	kind    string
	content []byte
}

func newAssets() assets {
	a := assets{files: map[string]asset{}}
	add := func(extension, kind string, parts ...[]byte) string {
		content := bytes.Join(parts, []byte("\n"))
		sum := sha256.Sum256(content)
		name := hex.EncodeToString(sum[:8]) + extension
		a.files[name] = asset{kind, content}
		return assetRoot + name
	}
	a.style = add(".css", "text/css; charset=utf-8", []byte(look.CSS), style, reportStyle, accessStyle)
	a.script = add(".js", "text/javascript; charset=utf-8", script)
	return a
}

func (a assets) answer(v *visit, name string) error {
	found, ok := a.files[name]
	if !ok {
		return &problem{Status: http.StatusNotFound, Text: "There is no such file."}
	}
	if v.r.Method == http.MethodPost {
		return &problem{Status: http.StatusMethodNotAllowed, Text: "Files are only read."}
	}
	h := v.w.Header()
	h.Set("Content-Type", found.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(v.w, v.r, "", time.Time{}, bytes.NewReader(found.content))
	return nil
}

// Package look provides Rollcall's appearance in a browser: colours, fonts,
// tables and their details. The offline page of package html and the console
// share it, and each adds its own style.
package look

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
)

// CSS is the style.
//
//go:embed look.css
var CSS string

// Hash names a script or a style in a Content-Security-Policy.
func Hash(content []byte) string {
	sum := sha256.Sum256(content)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

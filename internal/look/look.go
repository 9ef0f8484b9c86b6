// Package look provides Rollcall's appearance in a browser: colours, fonts,
// tables and their details. The offline page of package html and the console
// share it, and each adds its own style.
package look

import _ "embed"

// CSS is the style.
//
//go:embed look.css
var CSS string

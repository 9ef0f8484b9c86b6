// Package look gives Rollcall its look in a browser: colours, type, tables and
// the small things in them. The offline page of package html and the console
// have it in common, each with a style of its own after it.
package look

import _ "embed"

// CSS is the style.
//
//go:embed look.css
var CSS string

// Package look is how Rollcall looks in a browser: colours, type, tables and
// the small things that stand in them. The offline page of package html and the
// console have it in common, each with a style of its own after it.
package look

import _ "embed"

// CSS is the style.
//
//go:embed look.css
var CSS string

// Package schemas holds the published JSON schemas of what rollcall prints.
package schemas

import "embed"

// Files are the schemas, each as NAME.schema.json.
//
//go:embed *.schema.json
var Files embed.FS

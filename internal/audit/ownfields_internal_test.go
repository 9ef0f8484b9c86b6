package audit

import (
	"fmt"
	"strings"
)

// OwnFields returns a Markdown table of the fields that expressions of custom
// controls can read.
func OwnFields() string {
	var b strings.Builder
	b.WriteString("| field | type | meaning |\n|---|---|---|\n")
	for _, object := range []string{"user", "password", "key", "certificate", "account"} {
		for _, f := range factsOf[object] {
			kind := strings.NewReplacer(typePrefix, "", "google.protobuf.Timestamp", "timestamp").Replace(f.kind.String())
			fmt.Fprintf(&b, "| `%s.%s` | %s | %s |\n", object, f.name, kind, f.about)
		}
	}
	return b.String()
}

package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/spf13/cobra"

	"rollcall/internal/lazyregexp"
)

// release is the tag of a release, set by the linker.
var release = ""

// tagged matches the versions that Go's tool derives from a tag, unlike those
// that it makes up of a time and a revision.
var tagged = lazyregexp.New(`^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z]+)?$`)

// version returns the tag that the program was built from, alone, or "devel".
func version() string { return build().Version }

// origin says which sources the program was built from, and how.
type origin struct {
	Version  string
	Commit   string `json:",omitempty"`
	Date     string `json:",omitempty"` // of the commit
	Modified bool   `json:",omitempty"` // the sources differed from the commit
	Go       string
	OS       string
	Arch     string
}

// build returns the origin of this program.
var build = sync.OnceValue(func() origin {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return originOf(info, release)
})

func originOf(info *debug.BuildInfo, release string) origin {
	o := origin{Version: "devel", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			o.Commit = s.Value
		case "vcs.time":
			o.Date = s.Value
		case "vcs.modified":
			o.Modified = s.Value == "true"
		}
	}
	if tagged.MatchString(info.Main.Version) {
		o.Version = info.Main.Version
	}
	if release != "" {
		o.Version = release
	}
	return o
}

func (o origin) String() string {
	text := "rollcall " + o.Version
	if o.Commit != "" {
		text += fmt.Sprintf(" %.12s", o.Commit)
		if o.Modified {
			text += "+modified"
		}
		text += " " + o.Date
	}
	return fmt.Sprintf("%s %s %s/%s", text, o.Go, o.OS, o.Arch)
}

func versionCommand(p *process) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long: `Print the tag of the release, the commit and its date, the release of Go and the
platform. A program that was built from no tag is "devel".`,
		RunE: func(*cobra.Command, []string) error {
			if output == "json" {
				return writeJSON(p.stdout, build())
			}
			_, err := fmt.Fprintln(p.stdout, build())
			return err
		},
	}
	outputFlag(c, &output)
	return c
}

package main

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	at := []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef"},
		{Key: "vcs.time", Value: "2026-12-01T10:00:00Z"}}
	changed := append(at, debug.BuildSetting{Key: "vcs.modified", Value: "true"})
	for name, test := range map[string]struct {
		module, release string
		settings        []debug.BuildSetting
		want            string
	}{
		"a release":       {"v0.0.0-20261201100000-0123456789ab", "v1.2.0", at, "v1.2.0 0123456789ab 2026-12-01T10:00:00Z"},
		"by go install":   {"v1.2.0", "", nil, "v1.2.0"},
		"a candidate":     {"v1.2.0-rc1", "", nil, "v1.2.0-rc1"},
		"between tags":    {"v1.2.1-0.20261201100000-0123456789ab", "", at, "devel 0123456789ab 2026-12-01T10:00:00Z"},
		"a changed tree":  {"v1.2.0+dirty", "", changed, "devel 0123456789ab+modified 2026-12-01T10:00:00Z"},
		"without a clone": {"(devel)", "", nil, "devel"},
	} {
		got := originOf(&debug.BuildInfo{Main: debug.Module{Version: test.module}, Settings: test.settings}, test.release)
		want := "rollcall " + test.want + " " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
		if got.String() != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if tag := got.Version; strings.ContainsAny(tag, " +") {
			t.Errorf("%s: the tag is %q", name, tag)
		}
	}
}

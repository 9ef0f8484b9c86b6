package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestDiffScripts runs sessions of 'rollcall diff', without a network and
// without credentials.
func TestDiffScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/diff",
		Setup: func(env *testscript.Env) error {
			world := refuseAll(env)
			env.Setenv("HTTP_PROXY", world)
			env.Setenv("HTTPS_PROXY", world)
			env.Setenv("TMPDIR", env.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"code": exitCode, "valid": valid,
			"mode": mode, "json": jsonValue},
	})
}

package main

import (
	"testing"

	"github.com/spf13/cobra"
)

// TestCommandLineOfRecord quotes what a shell needs quoted, and keeps secrets out.
func TestCommandLineOfRecord(t *testing.T) {
	var got string
	c := &cobra.Command{Use: "tool", Run: func(cmd *cobra.Command, args []string) { got = commandLine(cmd, args) }}
	f := c.Flags()
	f.String("store", "", "")
	f.String("name", "", "")
	f.StringSlice("list", nil, "")
	f.Bool("yes", false, "")
	f.Int("unset", 1, "")
	c.SetArgs([]string{"--store", "postgres://u:secret@h/d", "--name", "it's", "--list", "a,b", "--yes", "a b"})
	if err := c.Execute(); err != nil {
		t.Fatal(err)
	}
	if want := `tool --list=a,b --name='it'\''s' --store=(not recorded) --yes 'a b'`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A password comes from a file or the environment, never from the command line.
func TestStoreURL(t *testing.T) {
	const secret = "postgres://u:hunter2@db.example.com/rollcall"
	file := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, flag string
		env        map[string]string
		want, err  string
	}{
		{name: "no password", flag: "postgres://db.example.com/rollcall", want: "postgres://db.example.com/rollcall"},
		{name: "the other scheme", flag: "postgresql:///rollcall?host=/run", want: "postgresql:///rollcall?host=/run"},
		{name: "a file", flag: "file://" + file, want: secret},
		{name: "a variable", flag: "env://DATABASE", env: map[string]string{"DATABASE": secret}, want: secret},
		{name: "our own variable", flag: secret, env: map[string]string{"ROLLCALL_STORE": secret}, want: secret},
		{name: "a password in the flag", flag: secret, err: "everyone on this machine could see"},
		{name: "a password as a parameter", flag: "postgres:///db?password=hunter2",
			err: "everyone on this machine could see"},
		{name: "no such file", flag: "file:///nowhere", err: "no such file"},
		{name: "no such variable", flag: "env://NOWHERE", err: "the environment variable NOWHERE is not set"},
		{name: "another engine", flag: "mysql://u:hunter2@db/rollcall", err: "not a postgres:// URL"},
		{name: "a file without a URL", flag: "file:///dev/null", err: "not a postgres:// URL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := &install{p: &process{env: func(name string) string { return c.env[name] }}, store: c.flag}
			got, err := in.storeURL()
			if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q, %v; want %q, %q", got, err, c.want, c.err)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password is in the error: %v", err)
			}
		})
	}
}

// A table that does not fit its terminal becomes blocks.
func TestTable(t *testing.T) {
	tab := newTable(nil, "Account", "Alias")
	tab.row("123456789012", "größe")
	tab.row("210987654321", "a text that is too long for the terminal")
	want := "Account  123456789012\nAlias    größe\n\nAccount  210987654321\nAlias    a text that is too\n" +
		"         long for the terminal\n"
	if got := string(tab.blocks(30)); got != want {
		t.Errorf("%s", got)
	}
}

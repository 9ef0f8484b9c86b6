package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The error for an unusable path names the path and what to do about it.
func TestBadPaths(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.run(t, serviceUser, "account", "create", "--data", "data", "--id", "123456789012")
	h.run(t, serviceUser, "account", "create", "--data", "closed")
	h.run(t, serviceUser, "backup", "good", "--data", "data")
	for _, err := range []error{
		os.Chmod(filepath.Join(h.dir, "closed"), 0o500), os.WriteFile(filepath.Join(h.dir, "file"), nil, 0o644),
		os.Mkdir(filepath.Join(h.dir, "folder"), 0o755), os.Mkdir(filepath.Join(h.dir, "roots"), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	const user, directory = "run this as the owner of the path", "it is a directory: name a file in it"
	for _, c := range []struct{ args, path, hint string }{
		{"account list --data closed", "closed/rollcall.db", user},
		{"account create --data closed", "closed/rollcall.db", user},
		{"backup out --data closed", "closed/rollcall.db", user},
		{"masterkey rotate --data closed", "closed/rollcall.db", user},
		{"backup folder --data data", "folder", directory},
		{"backup folder/none/x --data data", "folder/none/x", "no such file"},
		{"backup file/x --data data", "file/x", "a part of the path is a file"},
		{"backup roots/x --data data", "roots/x", user},
		{"backup /dev/full --data data", "/dev/full", "free some space there"},
		{"backup out --data none", "none", "there is no data"},
		{"account list --data file", "file", "is not a directory"},
		{"account list --data roots", "roots", user},
		{"restore none --data data", "none", "no such file"},
		{"restore folder --data data --force", "folder", "it is a directory"},
		{"restore good --data file/x --master-key data/master.key", "file/x", "a part of the path is a file"},
		{"account list --data data --master-key folder", "folder", "not a regular file"},
		{"account list --data data --master-key none", "none", "the master key file is missing"},
		{"account reports 123456789012 --data closed", "closed/rollcall.db", user},
		{"serve --data closed --listen 127.0.0.1:0 --admin-listen off", "closed/", user},
		{"serve --data data --trail folder --listen 127.0.0.1:0 --admin-listen off", "folder", directory},
	} {
		cmd := h.as(serviceUser, strings.Fields(c.args)...)
		var out bytes.Buffer
		cmd.Stderr = &out
		err := cmd.Run()
		if text := out.String(); err == nil || !strings.Contains(text, c.path) || !strings.Contains(text, c.hint) ||
			strings.Count(text, "\n") != 1 {
			t.Errorf("%s: %v\n%s", c.args, err, text)
		}
	}
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

// packages writes the packages of a Linux platform.
func (r *release) packages(p platform) error {
	for _, format := range []string{"deb", "rpm"} {
		if err := r.onePackage(p, format); err != nil {
			return fmt.Errorf("%s: %w", format, err)
		}
	}
	return nil
}

func (r *release) onePackage(p platform, format string) (err error) {
	contents, err := r.contents(p, format)
	if err != nil {
		return err
	}
	script := func(name string) string { return filepath.Join(r.root, "packaging", "files", name) }
	info := nfpm.WithDefaults(&nfpm.Info{
		Name: "rollcall", Arch: p.arch, Platform: "linux", Version: strings.TrimPrefix(r.version, "v"),
		Section: "net", Priority: "optional", Maintainer: "The Rollcall authors <rollcall@localhost>",
		Vendor: "The Rollcall authors", License: "Apache-2.0", MTime: r.date, DisableGlobbing: true,
		Description: "self-hosted AWS IAM with credential reports\n" +
			"Rollcall is a service that speaks the AWS IAM and STS API, and a tool that\n" +
			"gets, audits and compares credential reports, from the service or from AWS.",
		Overridables: nfpm.Overridables{
			Contents: contents,
			Scripts: nfpm.Scripts{PostInstall: script("postinstall.sh"), PreRemove: script("preremove.sh"),
				PostRemove: script("postremove.sh")},
			// The libraries of others are in the program. CA certificates are for
			// clients of AWS and for PostgreSQL.
			Recommends: []string{"ca-certificates", "logrotate"},
			RPM: nfpm.RPM{BuildHost: "localhost", Group: "System Environment/Daemons",
				Summary: "Self-hosted AWS IAM with credential reports", Compression: "gzip:9"},
		},
	})
	if format == "deb" {
		info.Depends = []string{"passwd"}
	} else {
		info.Depends = []string{"shadow-utils"}
	}
	packager, err := nfpm.Get(format)
	if err != nil {
		return err
	}
	if err := nfpm.PrepareForPackager(info, format); err != nil {
		return err
	}
	f, err := os.Create(r.file("%s", packager.ConventionalFileName(info)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return packager.Package(info, f)
}

// contents returns the files of a package.
func (r *release) contents(p platform, format string) (files.Contents, error) {
	var all files.Contents
	add := func(from, to, kind, group string, mode fs.FileMode) {
		all = append(all, &files.Content{Source: from, Destination: to, Type: kind,
			FileInfo: &files.ContentFileInfo{Owner: "root", Group: group, Mode: mode, MTime: r.date}})
	}
	local := func(name string) string { return filepath.Join(r.root, "packaging", "files", name) }
	const config = "config|noreplace"
	add(r.binary(p), "/usr/bin/rollcall", "", "root", 0o755)
	add(local("rollcall.service"), "/usr/lib/systemd/system/rollcall.service", "", "root", 0o644)
	for _, unit := range []string{"rollcall-backup.service", "rollcall-backup.timer"} {
		add(filepath.Join(r.root, "deploy", "systemd", unit), "/usr/lib/systemd/system/"+unit, "", "root", 0o644)
	}
	add(local("rollcall.logrotate"), "/etc/logrotate.d/rollcall", config, "root", 0o644)
	add("", "/etc/rollcall", "dir", "root", 0o750)
	add("", "/etc/rollcall/tls", "dir", "root", 0o750)
	add(local("rollcall.env"), "/etc/rollcall/rollcall.env", config, "root", 0o640)
	zsh := "/usr/share/zsh/site-functions"
	if format == "deb" {
		zsh = "/usr/share/zsh/vendor-completions"
	}
	for name, to := range map[string]string{
		"rollcall.bash": "/usr/share/bash-completion/completions/rollcall",
		"_rollcall":     zsh + "/_rollcall",
		"rollcall.fish": "/usr/share/fish/vendor_completions.d/rollcall.fish",
	} {
		add(filepath.Join(r.work, "completions", name), to, "", "root", 0o644)
	}
	for name, to := range map[string]string{
		"LICENSE": "/usr/share/doc/rollcall/copyright", "NOTICE": "/usr/share/doc/rollcall/NOTICE",
		"docs/operations.md": "/usr/share/doc/rollcall/operations.md",
		"docs/install.md":    "/usr/share/doc/rollcall/install.md",
	} {
		add(filepath.Join(r.root, name), to, "", "root", 0o644)
	}
	add(r.licenses(p), "/usr/share/doc/rollcall/"+licensesName, "", "root", 0o644)
	pages, err := r.manualPages()
	for _, page := range pages {
		add(page, "/usr/share/man/man1/"+filepath.Base(page), "", "root", 0o644)
	}
	return all, err
}

// manualPages compresses the manual pages, as distributions have them.
func (r *release) manualPages() ([]string, error) {
	found, err := filepath.Glob(filepath.Join(r.work, "man", "*.1"))
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(r.work, "man.gz")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var all []string
	for _, page := range found {
		text, err := os.ReadFile(page)
		if err != nil {
			return nil, err
		}
		packed, err := gzipped(text)
		if err != nil {
			return nil, err
		}
		to := filepath.Join(dir, filepath.Base(page)+".gz")
		if err := os.WriteFile(to, packed, 0o644); err != nil {
			return nil, err
		}
		all = append(all, to)
	}
	return all, nil
}

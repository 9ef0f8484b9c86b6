package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// licensesName is the name of the file with the licenses of other people's code.
const licensesName = "THIRD-PARTY-LICENSES"

// licenses returns the path of the file with the licenses of what is in the program
// for a platform. Most licenses ask for their text beside copies of a program.
func (r *release) licenses(p platform) string {
	return filepath.Join(r.work, p.String(), licensesName)
}

// writeLicenses writes that file. A module without a license is an error.
func (r *release) writeLicenses(ctx context.Context, p platform) error {
	linked, err := r.linked(ctx, p)
	if err != nil {
		return err
	}
	texts, err := licenseTexts(linked)
	if err != nil {
		return err
	}
	return os.WriteFile(r.licenses(p), texts, 0o644)
}

// linkedPackage is a package of the program, as the go command describes it.
type linkedPackage struct {
	Dir, Root string
	Standard  bool
	Module    *linkedModule
}

type linkedModule struct {
	Path, Version, Dir string
	Main               bool
}

// linked returns the packages that the program for a platform consists of.
func (r *release) linked(ctx context.Context, p platform) ([]linkedPackage, error) {
	c := exec.CommandContext(ctx, "go", "list", "-deps", "-json=Dir,Root,Standard,Module", "./cmd/rollcall")
	c.Dir, c.Stderr = r.root, os.Stderr
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOOS="+p.os, "GOARCH="+p.arch)
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var all []linkedPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var one linkedPackage
		if err := d.Decode(&one); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		all = append(all, one)
	}
}

// owner returns the name and the root directory of the code that a package belongs
// to: Go's own or a module. Rollcall's own packages have no name.
func (p linkedPackage) owner() (name, dir string) {
	switch {
	case p.Standard:
		return "Go", p.Root
	case p.Module == nil || p.Module.Main:
		return "", ""
	default:
		return p.Module.Path + " " + p.Module.Version, p.Module.Dir
	}
}

var (
	licenseFile = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying|copyright)([-._].*)?$`)
	noticeFile  = regexp.MustCompile(`(?i)^notice([-._].*)?$`)
)

// licenseTexts returns the licenses and notices in the directories of packages and
// above them. Each text comes once, after the names of those whose it is.
func licenseTexts(linked []linkedPackage) ([]byte, error) {
	names := map[string][]string{} // by text
	licensed := map[string]bool{}
	for _, p := range linked {
		name, root := p.owner()
		if name == "" {
			continue
		}
		for dir := p.Dir; ; dir = filepath.Dir(dir) {
			found, isLicensed, err := textsIn(dir)
			if err != nil {
				return nil, err
			}
			licensed[name] = licensed[name] || isLicensed
			for _, text := range found {
				if !slices.Contains(names[text], name) {
					names[text] = append(names[text], name)
				}
			}
			if dir == root || len(dir) <= len(root) {
				break
			}
		}
	}
	for name, ok := range licensed {
		if !ok {
			return nil, fmt.Errorf("%s has no license", name)
		}
	}
	return joined(names), nil
}

// textsIn returns the licenses and notices in a directory, and whether one of them is
// a license.
func textsIn(dir string) (texts []string, licensed bool, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, false, err
	}
	for _, f := range files {
		isLicense := licenseFile.MatchString(f.Name()) && filepath.Ext(f.Name()) != ".go"
		if f.IsDir() || !isLicense && !noticeFile.MatchString(f.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, false, err
		}
		texts = append(texts, strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")))
		licensed = licensed || isLicense
	}
	return texts, licensed, nil
}

// joined writes texts in the order of the names of those whose they are.
func joined(names map[string][]string) []byte {
	type group struct{ text, names string }
	var all []group
	for text, of := range names {
		slices.Sort(of)
		all = append(all, group{text, strings.Join(of, "\n")})
	}
	slices.SortFunc(all, func(a, b group) int {
		return cmp.Or(strings.Compare(a.names, b.names), strings.Compare(a.text, b.text))
	})
	var b bytes.Buffer
	b.WriteString("The program rollcall contains code of the following projects, under these terms.\n")
	for _, g := range all {
		fmt.Fprintf(&b, "\n%s\n%s\n\n%s\n", strings.Repeat("=", 80), g.names, g.text)
	}
	return b.Bytes()
}

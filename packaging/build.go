package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// maxBinary bounds the size of the program, so that a dependency that makes it much
// larger is noticed. docs/install.md says what is in it.
const maxBinary = 45_000_000

// binary returns the path of the program for a platform.
func (r *release) binary(p platform) string {
	name := "rollcall"
	if p.os == "windows" {
		name += ".exe"
	}
	return filepath.Join(r.work, p.String(), name)
}

func (r *release) build(ctx context.Context, p platform) error {
	to := r.binary(p)
	flags := "-s -w"
	if r.tagged {
		flags += " -X main.release=" + r.version
	}
	err := r.gobuild(ctx, []string{"GOOS=" + p.os, "GOARCH=" + p.arch}, "-ldflags", flags, "-o", to)
	if err != nil {
		return err
	}
	if err := r.stamped(to); err != nil {
		return err
	}
	info, err := os.Stat(to)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %.1f MB\n", p, float64(info.Size())/1e6)
	if info.Size() > maxBinary {
		return fmt.Errorf("the program has %d bytes, more than %d", info.Size(), maxBinary)
	}
	return nil
}

// stamped checks that a program says which commit it was built from.
func (r *release) stamped(program string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	said := map[string]string{}
	for _, s := range info.Settings {
		said[s.Key] = s.Value
	}
	if said["vcs.revision"] != r.commit || said["vcs.modified"] != "false" {
		return fmt.Errorf("the program says commit %q, modified %q", said["vcs.revision"], said["vcs.modified"])
	}
	return nil
}

// gobuild runs 'go build' so that nothing of this machine goes into the result.
func (r *release) gobuild(ctx context.Context, env []string, args ...string) error {
	flags, err := buildFlags(r.root)
	if err != nil {
		return err
	}
	all := slices.Concat([]string{"build", "-trimpath", "-buildvcs=true"}, flags, args, []string{"./cmd/rollcall"})
	c := exec.CommandContext(ctx, "go", all...)
	c.Dir, c.Stdout, c.Stderr = r.root, os.Stderr, os.Stderr
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=", "GOAMD64=v1", "GOARM64=v8.0")
	c.Env = append(c.Env, env...)
	if err := c.Run(); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	return nil
}

// buildFlags returns the flags with which 'make build' builds the program, too.
func buildFlags(root string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(root, "scripts", "build-flags.txt"))
	if err != nil {
		return nil, err
	}
	var flags []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			flags = append(flags, line)
		}
	}
	return flags, nil
}

// documents writes the manual pages and the completions of shells into the work
// directory, by a build of the program for this machine.
func (r *release) documents(ctx context.Context) error {
	program := filepath.Join(r.work, "documenter")
	flags := "-s -w"
	if r.tagged {
		flags += " -X main.release=" + r.version
	}
	if err := r.gobuild(ctx, nil, "-tags", "man", "-ldflags", flags, "-o", program); err != nil {
		return err
	}
	pages := filepath.Join(r.work, "man")
	completions := filepath.Join(r.work, "completions")
	for _, dir := range []string{pages, completions} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	run := func(args ...string) ([]byte, error) {
		c := exec.CommandContext(ctx, program, args...)
		c.Stderr = os.Stderr
		c.Env = []string{fmt.Sprintf("SOURCE_DATE_EPOCH=%d", r.date.Unix()), "HOME=" + r.work}
		return c.Output()
	}
	if _, err := run("man", pages); err != nil {
		return fmt.Errorf("write manual pages: %w", err)
	}
	// The unit of the service names this page.
	if _, err := os.Stat(filepath.Join(pages, "rollcall-serve.1")); err != nil {
		return fmt.Errorf("write manual pages: %w", err)
	}
	// The command that wrote them is in no release.
	if err := os.Remove(filepath.Join(pages, "rollcall-man.1")); err != nil && !os.IsNotExist(err) {
		return err
	}
	for shell, name := range map[string]string{
		"bash": "rollcall.bash", "zsh": "_rollcall", "fish": "rollcall.fish", "powershell": "rollcall.ps1",
	} {
		text, err := run("completion", shell)
		if err != nil {
			return fmt.Errorf("write completions: %w", err)
		}
		if err := os.WriteFile(filepath.Join(completions, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

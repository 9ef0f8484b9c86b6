// Package awscli runs the machine's AWS CLI for tests: unmodified, with its own
// entry point, as a new process would. If the CLI is a Python script, one
// Python process imports it once and forks for each command, which takes a
// quarter of the time and does the same. Any other CLI is started for each
// command.
package awscli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// CLI is an installed AWS CLI.
type CLI struct {
	Path    string // of the executable
	Version string // "2.9.19"

	// The Python that runs it, and its script; both are empty for other CLIs.
	python, script string
}

// Find finds the AWS CLI: "aws" on the path, or the program that the variable
// ROLLCALL_TEST_AWS names. It may be of version 1 or 2.
func Find() (CLI, error) {
	name := os.Getenv("ROLLCALL_TEST_AWS")
	if name == "" {
		name = "aws"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return CLI{}, fmt.Errorf("%w: install Debian's package awscli, or run 'make test'", err)
	}
	out, err := exec.Command(path, "--version").CombinedOutput()
	if err != nil {
		return CLI{}, fmt.Errorf("%s --version: %w\n%s", path, err, out)
	}
	c := CLI{Path: path}
	c.Version, _, _ = strings.Cut(strings.TrimPrefix(string(out), "aws-cli/"), " ")
	c.script, c.python = findPython(path)
	return c, nil
}

// ServiceError returns the exit code for an error of the service, not the CLI's
// own.
func (c CLI) ServiceError() int {
	if strings.HasPrefix(c.Version, "1.") {
		return 255
	}
	return 254
}

// ReadsEndpoints reports whether the CLI reads endpoint_url from a profile,
// which it does since 1.29 and 2.13. Older versions assume the role of a
// profile at AWS.
func (c CLI) ReadsEndpoints() bool {
	var major, minor int
	_, err := fmt.Sscanf(c.Version, "%d.%d", &major, &minor)
	return err == nil && (major == 1 && minor >= 29 || major == 2 && minor >= 13)
}

// findPython returns the Python in a script's first line. For a script of pyenv
// it is the one that pyenv names.
func findPython(path string) (script, python string) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", ""
	}
	first, _, _ := strings.Cut(string(text[:min(len(text), 1000)]), "\n")
	command, ok := strings.CutPrefix(first, "#!")
	words := strings.Fields(command)
	if !ok || len(words) == 0 {
		return "", ""
	}
	interpreter := words[0]
	if filepath.Base(interpreter) == "env" && len(words) == 2 {
		interpreter = words[1]
	}
	if strings.HasPrefix(filepath.Base(interpreter), "python") {
		found, err := exec.LookPath(interpreter)
		if err != nil {
			return "", ""
		}
		return path, found
	}
	if filepath.Base(filepath.Dir(path)) != "shims" {
		return "", ""
	}
	out, err := exec.Command("pyenv", "which", filepath.Base(path)).Output()
	if real := strings.TrimSpace(string(out)); err == nil && real != path {
		return findPython(real)
	}
	return "", ""
}

// Command is one run of the CLI.
type Command struct {
	Args []string
	Dir  string
	Env  []string
}

// environ returns a command's environment as Python has it. If a variable
// occurs twice, the last one counts.
func (c Command) environ() map[string]string {
	env := map[string]string{}
	for _, v := range c.Env {
		if name, value, ok := strings.Cut(v, "="); ok {
			env[name] = value
		}
	}
	return env
}

// exitCode returns the exit code of a process, and an error if it failed otherwise.
func exitCode(err error) (int, error) {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	return 0, err
}

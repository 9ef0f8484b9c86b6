package main

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"rollcall/internal/intake"
	"rollcall/internal/review"
)

// inputFlags are the flags that name a file or folder to read, or a trail.
var inputFlags = []string{"config", "exceptions", "accounts", "owners", "dir", "previous", "sign", "ca-bundle", "data",
	"master-key", "trail"}

// reads remembers the files and folders that a command line names as input.
func (p *process) reads(cmd *cobra.Command, args []string) {
	p.inputs = slices.Clone(args)
	for _, name := range inputFlags {
		if f := cmd.Flags().Lookup(name); f != nil && f.Value.String() != "" {
			p.inputs = append(p.inputs, f.Value.String())
		}
	}
}

// spare returns an error if a result would take the place of a file that the
// command reads, because a report is evidence that cannot be fetched again. In a
// folder, reports count, the files of a review, and those of a service.
func (p *process) spare(path string) error {
	target, err := os.Stat(path)
	if err != nil || !target.Mode().IsRegular() {
		return nil //nolint:nilerr // creating the file tells what is wrong with its path
	}
	for _, input := range p.inputs {
		info, err := os.Stat(input)
		if err != nil {
			continue
		}
		same := os.SameFile(info, target)
		if rel, ok := within(input, path); info.IsDir() && ok {
			same = isReport(path) || review.Is(input) && review.Keeps(rel) || isInstallation(input)
		}
		if same {
			return usageError("the command reads %s: name another file for its output", path)
		}
	}
	return nil
}

// within says whether a file is in a folder or below it, and where.
func within(folder, file string) (rel string, is bool) {
	from, fromErr := filepath.EvalSymlinks(folder)
	to, toErr := filepath.EvalSymlinks(file)
	if fromErr != nil || toErr != nil {
		return "", false
	}
	from, fromErr = filepath.Abs(from)
	to, toErr = filepath.Abs(to)
	if fromErr != nil || toErr != nil {
		return "", false
	}
	rel, err := filepath.Rel(from, to)
	return rel, err == nil && filepath.IsLocal(rel)
}

// isInstallation reports whether a folder is the data directory of a service.
func isInstallation(folder string) bool {
	for _, name := range []string{"master.key", "rollcall.db"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
			return true
		}
	}
	return false
}

func isReport(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = intake.Read(bufio.NewReaderSize(f, intake.Head))
	return err == nil
}

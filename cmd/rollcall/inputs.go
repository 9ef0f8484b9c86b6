package main

import (
	"bufio"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"rollcall/internal/intake"
)

// inputFlags are the flags that name a file or folder to read.
var inputFlags = []string{"config", "exceptions", "accounts", "owners", "dir"}

// reads remembers the files and folders that a command line names as input.
func (p *process) reads(cmd *cobra.Command, args []string) {
	p.inputs = args
	for _, name := range inputFlags {
		if f := cmd.Flags().Lookup(name); f != nil && f.Value.String() != "" {
			p.inputs = append(p.inputs, f.Value.String())
		}
	}
}

// spare returns an error if a result would take the place of a file that the
// command reads, because a report is evidence that cannot be fetched again. In a
// folder, only reports count.
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
		if os.SameFile(info, target) || info.IsDir() && within(input, path) && isReport(path) {
			return usageError("the command reads %s: name another file for its output", path)
		}
	}
	return nil
}

// within says whether a file is in a folder or below it.
func within(folder, file string) bool {
	from, fromErr := filepath.EvalSymlinks(folder)
	to, toErr := filepath.EvalSymlinks(file)
	if fromErr != nil || toErr != nil {
		return false
	}
	from, fromErr = filepath.Abs(from)
	to, toErr = filepath.Abs(to)
	if fromErr != nil || toErr != nil {
		return false
	}
	rel, err := filepath.Rel(from, to)
	return err == nil && filepath.IsLocal(rel)
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

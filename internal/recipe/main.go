// Recipe checks the recipes for a new action, a new column of the report and a
// new control of the audit. It adds an example of each to a copy of the tree,
// only in the files that the recipe names, and runs the tests that cover
// everything of its kind. They must pass with all of the files, and fail without
// any one of them.
//
//	go run ./internal/recipe [-only name] [-keep]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

// recipe says how something is added.
type recipe struct {
	name  string
	steps []step
	// tests are the arguments of a 'go test' that covers everything of the
	// kind.
	tests []string
}

var recipes = []recipe{action, column, control}

func main() {
	only := flag.String("only", "", "prove the recipe of this `name` alone")
	keep := flag.Bool("keep", false, "keep the copies of the tree and say where they are")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	for _, r := range recipes {
		if *only != "" && *only != r.name {
			continue
		}
		if err := r.prove(ctx, *keep); err != nil {
			fmt.Fprintf(os.Stderr, "recipe: %s: %v\n", r.name, err)
			os.Exit(1)
		}
	}
}

func (r *recipe) prove(ctx context.Context, keep bool) (err error) {
	dir, err := os.MkdirTemp("", "rollcall-recipe-")
	if err != nil {
		return err
	}
	if keep {
		fmt.Println("the copy is in", dir)
	} else {
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	if err := copyTree(ctx, dir); err != nil {
		return fmt.Errorf("copy the tree: %w", err)
	}
	before := map[string][]byte{}
	for _, s := range r.steps {
		if before[s.file], err = os.ReadFile(filepath.Join(dir, s.file)); err != nil &&
			!errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err := s.take(ctx, dir); err != nil {
			return fmt.Errorf("%s: %w", s.file, err)
		}
	}
	if out, err := r.test(ctx, dir); err != nil {
		return fmt.Errorf("with all files the tests are red:\n%s", out)
	}
	for _, s := range r.steps {
		if err := r.without(ctx, dir, s.file, before[s.file]); err != nil {
			return err
		}
	}
	fmt.Printf("a new %s touches %d files:\n", r.name, len(r.steps))
	for _, s := range r.steps {
		fmt.Printf("  %s: %s\n", s.file, s.what)
	}
	return ctx.Err()
}

// without expects the tests to fail while one file is unchanged.
func (r *recipe) without(ctx context.Context, dir, file string, was []byte) error {
	path := filepath.Join(dir, file)
	is, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if was == nil {
		err = os.Remove(path)
	} else {
		err = os.WriteFile(path, was, 0o666)
	}
	if err != nil {
		return err
	}
	if _, err := r.test(ctx, dir); err == nil {
		return fmt.Errorf("without %s the tests are green", file)
	}
	return os.WriteFile(path, is, 0o666)
}

func (r *recipe) test(ctx context.Context, dir string) ([]byte, error) {
	return command(ctx, dir, "go", append([]string{"test"}, r.tests...)...)
}

func command(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	return cmd.CombinedOutput()
}

// copyTree copies the files that git tracks, and new ones that are not ignored.
func copyTree(ctx context.Context, to string) error {
	list, err := exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others",
		"--exclude-standard").Output()
	if err != nil {
		return err
	}
	for _, name := range strings.Split(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		info, err := os.Lstat(name)
		if errors.Is(err, os.ErrNotExist) {
			continue // deleted, and not yet committed
		}
		if err != nil {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		path := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, info.Mode().Perm()); err != nil {
			return err
		}
	}
	return nil
}

// step describes the change of one file: a new file, edits, or the command that
// writes it.
type step struct {
	file, what string
	text       string
	changes    []change
	generate   []string
}

// change replaces a text that the file contains exactly once.
type change struct{ old, new string }

func (s step) take(ctx context.Context, dir string) error {
	path := filepath.Join(dir, s.file)
	switch {
	case s.generate != nil:
		if out, err := command(ctx, dir, s.generate[0], s.generate[1:]...); err != nil {
			return fmt.Errorf("%w:\n%s", err, out)
		}
		return nil
	case s.changes == nil:
		return os.WriteFile(path, []byte(s.text), 0o666)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for _, c := range s.changes {
		if n := strings.Count(string(text), c.old); n != 1 {
			return fmt.Errorf("%q is there %d times", c.old, n)
		}
		text = []byte(strings.Replace(string(text), c.old, c.new, 1))
	}
	return os.WriteFile(path, text, 0o666)
}

// after returns the change that adds a text after another.
func after(old, text string) change { return change{old, old + text} }

// before returns the change that adds a text before another.
func before(old, text string) change { return change{old, text + old} }

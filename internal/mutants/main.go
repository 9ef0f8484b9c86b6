// Mutants removes the defences of a list one by one and expects that the test
// named with each fails. The code on the disk does not change: the compiler
// gets the changed file through an overlay, and so does every go command that
// the test starts itself.
//
//	mutants [-check] [-only regexp] list
//
// A change that does not compile, a test that fails without the change, and a
// test that does not exist are errors of the list, not successes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
)

func main() {
	check := flag.Bool("check", false, "only look whether the list fits the code")
	only := flag.String("only", "", "remove only the defences whose `name` matches")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(64)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, flag.Arg(0), *check, *only); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, path string, check bool, only string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	list, err := readList(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	wanted, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	var errs []error
	for _, m := range list {
		_, err := m.mutate()
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil || check {
		return err
	}
	return runAll(ctx, list, wanted)
}

// runAll prints a table of the verdicts.
func runAll(ctx context.Context, list []mutant, wanted *regexp.Regexp) error {
	dir, err := os.MkdirTemp("", "rollcall-mutants-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r := runner{dir: dir, sound: map[string]error{}}
	out := table.NewWriter()
	out.SetStyle(table.StyleLight)
	out.AppendHeader(table.Row{"defence removed", "file", "verdict", "took"})
	bad := 0
	for _, m := range list {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !wanted.MatchString(m.name) {
			continue
		}
		began := time.Now()
		verdict, said := r.run(ctx, m)
		took := time.Since(began).Round(100 * time.Millisecond)
		fmt.Fprintf(os.Stderr, "%s: %s after %v: %s\n", m.name, verdict, took, said)
		if verdict != killed {
			bad++
		}
		out.AppendRow(table.Row{m.name, m.file, verdict, took})
	}
	if out.Length() == 0 {
		return fmt.Errorf("no defence has a name that matches %q", wanted)
	}
	fmt.Println(out.Render())
	if bad > 0 {
		return fmt.Errorf("%d of %d were not noticed", bad, out.Length())
	}
	return nil
}

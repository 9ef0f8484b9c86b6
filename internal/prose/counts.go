package main

import (
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"text/tabwriter"
)

// printCounts prints one line for each package and one for each phrase.
func printCounts(w io.Writer, found []finding) {
	patterns := []string{opening, phrase, name, wide}
	packages := map[string]map[string]int{}
	total := map[string]int{}
	phrases := map[string]int{}
	for _, f := range found {
		dir := path.Dir(f.path)
		if packages[dir] == nil {
			packages[dir] = map[string]int{}
		}
		packages[dir][f.pattern]++
		total[f.pattern]++
		if f.pattern == phrase {
			phrases[strings.ToLower(strings.Trim(f.what, " .;:"))]++
		}
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "PACKAGE")
	for _, p := range patterns {
		fmt.Fprint(t, "\t", p)
	}
	fmt.Fprintln(t)
	line := func(label string, counts map[string]int) {
		fmt.Fprint(t, label)
		for _, p := range patterns {
			fmt.Fprint(t, "\t", counts[p])
		}
		fmt.Fprintln(t)
	}
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		line(dir, packages[dir])
	}
	line("all", total)
	_ = t.Flush()
	for _, p := range slices.Sorted(maps.Keys(phrases)) {
		_, _ = fmt.Fprintf(w, "%6d  %s\n", phrases[p], p)
	}
}

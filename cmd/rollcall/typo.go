package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// closest returns the name that somebody may have meant by word: the one that
// takes the fewest changes, or that begins with it; "" where none is near.
func closest(word string, names []string) string {
	word = strings.ToLower(word)
	best, least := "", 1+max(1, len(word)/3)
	for _, name := range names {
		lower := strings.ToLower(name)
		if lower == word {
			return name
		}
		changes := distance(word, lower)
		if len(word) >= 3 && strings.HasPrefix(lower, word) {
			changes = 1
		}
		if changes < least {
			best, least = name, changes
		}
	}
	return best
}

// distance counts the letters that must be added, taken out or changed, or
// change places with their neighbours, to make b of a.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	var before []int // the row before the last
	last := make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row := make([]int, len(y)+1)
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(y)]
}

// didYouMean ends a sentence with the name that is closest, if one is near.
func didYouMean(word string, names []string) string {
	if name := closest(word, names); name != "" {
		return "; did you mean " + name + "?"
	}
	return ""
}

// noneOf says that a value is not among those there are.
func noneOf(value string, values []string) error {
	return fmt.Errorf("%q is none of %s%s", value, strings.Join(values, ", "), didYouMean(value, values))
}

// choice is the value of a flag that takes one of a few, in any letter case.
type choice struct {
	to     *string
	values []string
}

// choose adds a flag that takes one of the values, and offers them to the
// shell.
func choose(c *cobra.Command, to *string, name, short, value, usage string, values ...string) {
	*to = value
	c.Flags().VarP(&choice{to, values}, name, short, usage)
	must(c.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)))
}

func (c *choice) String() string {
	if c.to == nil {
		return ""
	}
	return *c.to
}

func (c *choice) Type() string { return "string" }

// Set implements pflag.Value.
func (c *choice) Set(value string) error {
	i := slices.IndexFunc(c.values, func(v string) bool { return strings.EqualFold(v, value) })
	if i < 0 {
		return noneOf(value, c.values)
	}
	*c.to = c.values[i]
	return nil
}

var _ pflag.Value = (*choice)(nil)

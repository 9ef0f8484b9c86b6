// Package testrun runs the tests of packages in which most tests wait for
// something other than a processor.
package testrun

import (
	"flag"
	"strconv"
)

// Tests are the tests of a package: a *testing.M.
type Tests interface{ Run() int }

// AtOnce returns tests of which up to n run at the same time, unless the flag
// -parallel says otherwise.
func AtOnce(n int, m Tests) Tests { return parallel{m, n} }

type parallel struct {
	Tests
	n int
}

func (p parallel) Run() int {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", strconv.Itoa(p.n)); err != nil {
			panic(err)
		}
	}
	return p.Tests.Run()
}

// Prose finds sentences and lines that the project does not write.
//
//	prose [-counts] [directory]
//
// It reads the Go files, documents, test sessions, pages and scripts of a work
// tree, and looks for four patterns:
//
//   - opening: a comment that opens "X is what …", "X is how …" or the like
//   - phrase: an expression of phrases.txt, in comments, strings and documents
//   - name: the comment of an exported name that does not start with the name;
//     tests are left out
//   - wide: a line that ends beyond column 120, a tab counting as one
//
// It lists what it finds, and the exit code is 1 if it finds anything. With
// -counts it prints how often each pattern occurs in each package instead, and
// the exit code is 0.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	counts := flag.Bool("counts", false, "print the number of findings of each package")
	flag.Parse()
	dir := "."
	if flag.NArg() > 0 {
		dir = flag.Arg(0)
	}
	found, err := readTree(os.DirFS(dir))
	if err != nil {
		fmt.Fprintln(os.Stderr, "prose:", err)
		os.Exit(2)
	}
	if *counts {
		printCounts(os.Stdout, found)
		return
	}
	for _, f := range found {
		fmt.Println(f)
	}
	if len(found) > 0 {
		fmt.Fprintf(os.Stderr, "prose: %d findings; internal/prose/phrases.txt says what to write\n", len(found))
		os.Exit(1)
	}
}

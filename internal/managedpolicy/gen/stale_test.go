package main

import (
	"os"
	"strings"
	"testing"
)

// The file contains its additions. 'make generate' writes it.
func TestPoliciesHaveTheAdditions(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	policies := "\n" + read("../policies.tsv")
	for line := range strings.Lines(read("added.tsv")) {
		if !strings.Contains(policies, "\n"+line) {
			t.Errorf("policies.tsv has no line %.80q of added.tsv", line)
		}
	}
	for line := range strings.Lines(read("known.tsv")) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if !strings.Contains(policies, "\t"+fields[0]+"\t"+fields[1]+"\t") {
			t.Errorf("policies.tsv has no %s with the id %s of known.tsv", fields[0], fields[1])
		}
	}
}

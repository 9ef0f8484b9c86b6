// Command gen writes policies.tsv: the policies that AWS manages, one per line.
//
// It reads them from the Python library moto, whose module
// moto/iam/aws_managed_policies.py holds AWS's answers as JSON in one text, and
// adds the ids and descriptions of known.tsv, which moto leaves out. added.tsv
// holds the lines of policies that moto lacks.
//
//	go run ./gen -moto "$(python3 -c 'import moto, os; print(os.path.dirname(moto.__file__))')"
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("gen: ")
	moto := flag.String("moto", "", "moto's package `directory`")
	known := flag.String("known", "gen/known.tsv", "`file` with ids and descriptions")
	added := flag.String("added", "gen/added.tsv", "`file` with policies that moto lacks")
	out := flag.String("o", "policies.tsv", "`file` to write")
	flag.Parse()
	if err := run(*moto, *known, *added, *out); err != nil {
		log.Fatal(err)
	}
}

func run(moto, known, added, out string) error {
	module, err := os.ReadFile(filepath.Join(moto, "iam", "aws_managed_policies.py"))
	if err != nil {
		return err
	}
	facts, err := os.ReadFile(known)
	if err != nil {
		return err
	}
	more, err := os.ReadFile(added)
	if err != nil {
		return err
	}
	lines, err := policies(string(module), string(facts), string(more))
	if err != nil {
		return err
	}
	return os.WriteFile(out, []byte(lines), 0o644)
}

// policies returns the lines: path, name, id, version, created, updated,
// description, document. The entries of added are lines already.
func policies(module, known, added string) (string, error) {
	_, text, found := strings.Cut(module, `"""`)
	text, _, ended := strings.Cut(text, `"""`)
	if !found || !ended {
		return "", errors.New("the module has no text")
	}
	var all map[string]struct {
		Path, DefaultVersionId, CreateDate, UpdateDate string
		Document                                       json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return "", err
	}
	facts := map[string][]string{}
	for line := range strings.Lines(known) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if _, there := all[fields[0]]; !there || len(fields) != 3 {
			return "", fmt.Errorf("known: %q is not a policy", line)
		}
		facts[fields[0]] = fields[1:]
	}
	lines := slices.Collect(strings.Lines(added))
	for _, line := range lines {
		fields := strings.Split(line, "\t")
		if len(fields) != 8 {
			return "", fmt.Errorf("added: %q is not a policy", line)
		}
		if _, there := all[fields[1]]; there {
			return "", fmt.Errorf("added: moto has %s", fields[1])
		}
	}
	for name, p := range all {
		fact := append(facts[name], "", "")
		var document bytes.Buffer
		if err := json.Compact(&document, p.Document); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		lines = append(lines, strings.Join([]string{
			p.Path, name, fact[0], p.DefaultVersionId, date(p.CreateDate), date(p.UpdateDate), fact[1],
			document.String(),
		}, "\t")+"\n")
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(nameKey(a), nameKey(b)) })
	return strings.Join(lines, ""), nil
}

// nameKey orders the lines as IAM orders names: without regard to case.
func nameKey(line string) string { return strings.ToLower(strings.Split(line, "\t")[1]) }

// date writes a time as AWS does.
func date(s string) string { return strings.Replace(s, "+00:00", "Z", 1) }

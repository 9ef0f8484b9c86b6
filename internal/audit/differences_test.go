package audit_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// differencesFile explains verdicts of other auditors. The name of a section is an
// anchor of docs/verdicts.md, which never changes, and its first line is a title.
const differencesFile = "testdata/differences.txtar"

// differing is a verdict of another auditor that is not ours, or not what is true.
type differing struct{ tool, check, thing, theirs, right string }

func (d *differing) key() anchorKey { return anchorKey{d.tool, d.check, d.thing} }

type anchorKey struct{ tool, check, thing string }

// anchorTable names the explanation of each difference.
type anchorTable map[anchorKey]string

// anchorsOf reads the section of a file that names them.
func anchorsOf(t *testing.T, path string) anchorTable {
	t.Helper()
	text, ok := readCase(t, path).section("differences")
	if !ok {
		t.Fatalf("%s has no section differences", path)
	}
	table := anchorTable{}
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 4 {
			t.Fatalf("%s: %q", path, line)
		}
		table[anchorKey{f[0], f[1], f[2]}] = f[3]
	}
	return table
}

// links returns how many differences each explanation is about.
func (a anchorTable) links(differ []differing) string {
	counts := map[string]int{}
	for i := range differ {
		counts[a[differ[i].key()]]++
	}
	var links []string
	for _, anchor := range slices.Sorted(maps.Keys(counts)) {
		links = append(links, fmt.Sprintf("[%d](#%s)", counts[anchor], anchor))
	}
	return strings.Join(links, ", ")
}

// compareAnchors expects that a file names an explanation for each difference, and
// for nothing else.
func compareAnchors(t *testing.T, path string, differ []differing) {
	t.Helper()
	named := anchorsOf(t, path)
	for i := range differ {
		d := &differ[i]
		if named[d.key()] == "" {
			t.Errorf("%s has no anchor for a difference: %s\t%s\t%s\t(they say %s, right is %s)", path, d.tool, d.check,
				d.thing, d.theirs, d.right)
		}
		delete(named, d.key())
	}
	for key := range named {
		t.Errorf("%s has an anchor where there is no difference: %v", path, key)
	}
}

func readDifferences(t *testing.T) []txtar.File {
	t.Helper()
	archive, err := txtar.ParseFile(differencesFile)
	if err != nil {
		t.Fatal(err)
	}
	return archive.Files
}

// explicitAnchor matches an anchor that does not follow from the text of a heading.
var explicitAnchor = regexp.MustCompile(`<a id="([^"]+)"></a>`)

// TestAnchorsOfVerdicts expects that the page, as TestVerdictsPage keeps it, has each anchor that the tables of
// other auditors' verdicts name, once, and that the tables name each that explains
// one. Links from other pages must lead to an anchor or a heading.
func TestAnchorsOfVerdicts(t *testing.T) {
	page := renderVerdicts(t, readCorpus(t))
	var have []string
	for _, found := range explicitAnchor.FindAllStringSubmatch(page, -1) {
		if strings.HasPrefix(found[1], "differ-") {
			have = append(have, found[1])
		}
	}
	slices.Sort(have)
	named := map[string]bool{}
	for _, path := range []string{peersFile, accountFile} {
		for _, anchor := range anchorsOf(t, path) {
			named[anchor] = true
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(named)), have); diff != "" {
		t.Errorf("the anchors that the tables name (-) are not those of the page (+)\n%s", diff)
	}
	checkLinksToVerdicts(t, page)
}

func checkLinksToVerdicts(t *testing.T, page string) {
	t.Helper()
	targets := map[string]bool{}
	for _, found := range explicitAnchor.FindAllStringSubmatch(page, -1) {
		targets[found[1]] = true
	}
	notOfAnchor := regexp.MustCompile(`[^a-z0-9 _-]`)
	for _, found := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(page, -1) {
		targets[strings.ReplaceAll(notOfAnchor.ReplaceAllString(strings.ToLower(found[1]), ""), " ", "-")] = true
	}
	docs, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(docs) == 0 {
		t.Fatal(docs, err)
	}
	link := regexp.MustCompile(`\((?:verdicts\.md)?#([^)]+)\)`)
	for _, path := range docs {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range link.FindAllStringSubmatch(string(text), -1) {
			toVerdicts := strings.HasPrefix(found[0], "(verdicts") || path == filepath.Clean(verdictsPage)
			if toVerdicts && !targets[found[1]] {
				t.Errorf("%s links to %q, which docs/verdicts.md does not have", path, found[1])
			}
		}
	}
}

const differencesIntro = `
<a id="differences"></a>

## Where other auditors differ, and why

Each explanation has a link that stays. "Right" is our verdict on the report, by its control, or what is true of the
account. Lines are those of the table of [errors in their sources](#what-other-auditors-get-wrong).
`

func renderDifferences(t *testing.T, b *strings.Builder) {
	t.Helper()
	b.WriteString(differencesIntro)
	all := newJudgement(t).differences()
	anchors := anchorsOf(t, peersFile)
	for _, r := range readAccount(t) {
		_, differ := r.compare()
		all = append(all, differ...)
	}
	maps.Copy(anchors, anchorsOf(t, accountFile))
	for _, f := range readDifferences(t) {
		title, text, _ := strings.Cut(string(f.Data), "\n")
		fmt.Fprintf(b, "\n<a id=%q></a>\n\n### %s\n\n%s\n", f.Name, title, strings.TrimSpace(text))
		b.WriteString("\n| auditor | check | row | verdict | right |\n|---|---|---|---|---|\n")
		for i := range all {
			if d := &all[i]; anchors[d.key()] == f.Name {
				fmt.Fprintf(b, "| %s | `%s` | `%s` | %s | %s |\n", d.tool, d.check, d.thing, d.theirs, d.right)
			}
		}
	}
}

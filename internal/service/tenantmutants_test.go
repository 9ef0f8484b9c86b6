package service_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var mutateTenants = flag.String("tenants", "",
	"remove the account from each statement of the store that `matches`, one by one; '.' for all needs PostgreSQL "+
		"and minutes")

// mutantOf is the variable that tells a mutated test which condition is
// removed.
const mutantOf = "ROLLCALL_TENANT_MUTANT"

// unnoticed are the conditions whose removal these tests cannot detect, with
// the reasons.
var unnoticed = map[string]string{}

// If the condition on the account is removed from any statement of the store,
// the tests of tenants fail. One build contains all mutations: a variable can
// switch off each condition. Without -tenants the statements are only searched.
func TestEveryStatementAsksForTheAccount(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	overlay, sites := mutateStore(t, dir)
	for site := range unnoticed {
		if !slices.Contains(sites, site) {
			t.Errorf("there is no %s", site)
		}
	}
	if len(sites) < 150 {
		t.Errorf("only %d conditions", len(sites))
	}
	if *mutateTenants == "" {
		return
	}
	wanted := regexp.MustCompile(*mutateTenants)
	for binary, of := range map[string]string{"store.test": "../store", "service.test": "."} {
		build := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", filepath.Join(dir, binary), of)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	if out, err := runMutant(t, dir, "none"); err != nil {
		t.Fatalf("red without a mutation: %v\n%s", err, out)
	}
	turns := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wait sync.WaitGroup
	for i, site := range sites {
		if !wanted.MatchString(site) {
			continue
		}
		turns <- struct{}{}
		wait.Go(func() {
			defer func() { <-turns }()
			_, err := runMutant(t, dir, fmt.Sprint("m", i, "m"))
			_, excused := unnoticed[site]
			t.Logf("%s: noticed %t", site, err != nil)
			switch {
			case err == nil && !excused:
				t.Errorf("nobody notices that %s does not ask for the account", site)
			case err != nil && excused:
				t.Errorf("%s is noticed: say so", site)
			}
		})
	}
	wait.Wait()
}

// runMutant runs the tests of the store, which are quick, and then those of the
// service, until one fails.
func runMutant(t *testing.T, dir, mutant string) (out []byte, err error) {
	for _, c := range [][2]string{
		{"store.test", "^TestMethodsAskForTheAccount$"}, {"store.test", "^TestScansAskForTheAccount$"},
		{"service.test", "^(TestTenantsAreApart|TestMarkersAreApart)$"},
	} {
		run := exec.CommandContext(t.Context(), filepath.Join(dir, c[0]), "-test.run", c[1], "-test.timeout", "5m")
		run.Env = append(os.Environ(), mutantOf+"="+mutant)
		run.WaitDelay = time.Minute
		if out, err = run.CombinedOutput(); err != nil {
			break
		}
	}
	return out, err
}

var (
	ofAccountCondition = regexp.MustCompile(`(?:\b\w+\.)?\baccount = \$\d+`)
	sentToEngine       = regexp.MustCompile(
		`(\.c\.(?:exec|query|execMany)\((?:tx\.ctx|ctx), |c\.prepare\(|Query\(step, |Queue\()(\w+(?:\[i\])?),`)
)

// mutateStore writes the store with conditions that can be switched off, and
// returns where they are: the file, the function and the statement's number in
// it.
func mutateStore(t *testing.T, dir string) (overlay string, sites []string) {
	t.Helper()
	store, err := filepath.Abs("../store")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(store, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	replace := map[string]string{}
	write := func(name, text string) {
		to := filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[name] = to
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		function, count := "", map[string]int{}
		var lines []string
		for line := range strings.Lines(string(text)) {
			if name, ok := functionOf(line); ok {
				function = name
			}
			line = ofAccountCondition.ReplaceAllStringFunc(line, func(condition string) string {
				count[function]++
				sites = append(sites, fmt.Sprintf("%s %s %d", filepath.Base(file), function, count[function]))
				return fmt.Sprintf("(%s OR 'm%dm' = '')", condition, len(sites)-1)
			})
			lines = append(lines, sentToEngine.ReplaceAllString(line, "${1}mutated($2),"))
		}
		if mutated := strings.Join(lines, ""); mutated != string(text) {
			write(file, mutated)
		}
	}
	write(filepath.Join(store, "mutated.go"), `package store

import (
	"os"
	"strings"
)

var switchedOff = "'" + os.Getenv("`+mutantOf+`") + "' = ''"

func mutated(sql string) string { return strings.ReplaceAll(sql, switchedOff, "1 = 1") }
`)
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlay = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return overlay, sites
}

var functionLine = regexp.MustCompile(
	`^(?:func (?:\(\w+ \*?\w+(?:\[\w+\])?\) )?(\w+)|var (\w+)|\t(\w+), \w+ += |const (\w+)|\t(\w+) += )`)

// functionOf returns the name of the function that a line of code begins.
func functionOf(line string) (string, bool) {
	m := functionLine.FindStringSubmatch(line)
	if m == nil || strings.HasPrefix(line, "\t") && !strings.Contains(line, "SQL") {
		return "", false
	}
	for _, name := range m[1:] {
		if name != "" {
			return name, true
		}
	}
	return "", false
}

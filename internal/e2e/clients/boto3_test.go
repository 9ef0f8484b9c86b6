package clients

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/e2e/e2etest"
)

// TestBoto3 runs the programs of testdata/boto3. A program prints a line for
// each of its tests and exits with code 0, or describes the error.
// ROLLCALL_TEST_PYTHON names another Python than the first that has boto3.
func TestBoto3(t *testing.T) {
	t.Parallel()
	python := findPython(t)
	files := newPythonFiles(t)
	emulator := func(t *testing.T) (*e2etest.Process, e2etest.Account) { return e2etest.Dev(t) }
	for name, begin := range map[string]func(*testing.T) (*e2etest.Process, e2etest.Account){
		"users":       emulator,
		"credentials": emulator,
		"report":      emulator,
		"permissions": emulator,
		"roles":       emulator,
		"pages":       emulator,
		"access":      emulator,
		"sessions":    emulator,
		"providers": func(t *testing.T) (*e2etest.Process, e2etest.Account) {
			return e2etest.Dev(t, "--web-identity-keys", tokenIssuer+"="+filepath.Join(files, "jwks.json"))
		},
		// This is the management account of an organisation.
		"organization": func(t *testing.T) (*e2etest.Process, e2etest.Account) {
			flags := []string{"--data", e2etest.DataDir(t)}
			acc := e2etest.CreateAccount(t, append(flags, "--id", "123456789012")...)
			e2etest.CreateAccount(t, append(flags, "--id", "222222222222")...)
			e2etest.Operate(t, append([]string{"account", "organization", "manage", "123456789012", "222222222222"},
				flags...)...)
			return e2etest.Serve(t, flags...), acc
		},
		// This report takes long to generate, and expires soon.
		"largereport": func(t *testing.T) (*e2etest.Process, e2etest.Account) {
			flags := []string{"--data", e2etest.DataDir(t)}
			acc := e2etest.CreateAccount(t, flags...)
			e2etest.Seed(t, flags, acc, 30_000)
			return e2etest.Serve(t, append(flags, "--report-max-age", "5s", "--report-expiry", "6s")...), acc
		},
		"retries": func(t *testing.T) (*e2etest.Process, e2etest.Account) {
			flags := []string{"--data", e2etest.DataDir(t)}
			acc := e2etest.CreateAccount(t, flags...)
			return e2etest.Serve(t, append(flags, "--rate-limit", "6", "--rate-burst", "2")...), acc
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node, acc := begin(t)
			cmd := exec.Command(python, filepath.Join("testdata/boto3", name+".py"))
			cmd.Env = append(e2etest.Environment(t), "PYTHONDONTWRITEBYTECODE=1", "ROLLCALL_URL="+node.URL,
				"ROLLCALL_FILES="+files)
			values := e2etest.ClientEnvironment(t.TempDir(), acc)
			for _, name := range slices.Sorted(maps.Keys(values)) {
				cmd.Env = append(cmd.Env, name+"="+values[name])
			}
			out, err := cmd.CombinedOutput()
			t.Logf("%s", bytes.TrimSpace(out))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(out), "ok ") {
				t.Error("the program ran no test")
			}
		})
	}
}

// findPython finds a Python that has boto3.
func findPython(t *testing.T) string {
	t.Helper()
	candidates := []string{"python3", "/usr/bin/python3"}
	if given := os.Getenv("ROLLCALL_TEST_PYTHON"); given != "" {
		candidates = []string{given}
	}
	for _, python := range candidates {
		out, err := exec.Command(python, "-c",
			"import boto3, sys; print(sys.executable, 'with boto3', boto3.__version__)").Output()
		if err == nil {
			t.Logf("%s", bytes.TrimSpace(out))
			return python
		}
	}
	t.Fatalf("none of %v has boto3: install Debian's package python3-boto3, or run 'make test'", candidates)
	return ""
}

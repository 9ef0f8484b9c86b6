package terraform

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"golang.org/x/crypto/ssh"

	"rollcall/internal/e2e/e2etest"
	"rollcall/internal/subprocess"
)

// terraform runs Terraform with its AWS provider, in a separate directory.
type terraform struct {
	t    *testing.T
	dir  string
	env  []string
	vars []string
}

// providerMirrors are the places where a machine may have providers. Terraform
// finds the first ones without a setting, but then it requests all others from the
// registry.
var providerMirrors = []string{
	os.Getenv("ROLLCALL_TEST_TERRAFORM_MIRROR"), "/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins",
	"/opt/tf-plugins",
}

// newTerraform creates a working directory with the named files of testdata.
// Without Terraform or its provider on the machine the test is skipped and says
// which is missing: neither is in Debian.
func newTerraform(t *testing.T, node *e2etest.Process, acc e2etest.Account, files ...string) *terraform {
	t.Helper()
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skip("NOT SHOWN: this machine has no terraform in PATH")
	}
	var mirror string
	for _, dir := range providerMirrors {
		if _, err := os.Stat(filepath.Join(dir, "registry.terraform.io/hashicorp/aws")); dir != "" && err == nil {
			mirror = dir
			break
		}
	}
	if mirror == "" {
		t.Skipf("NOT SHOWN: this machine has no AWS provider for terraform in %q; ROLLCALL_TEST_TERRAFORM_MIRROR may "+
			"name a filesystem mirror", providerMirrors[1:])
	}
	tf := &terraform{t: t, dir: t.TempDir(), vars: []string{"-var=endpoint=" + node.URL}}
	for _, pattern := range files {
		found, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("no %s: %v", pattern, err)
		}
		for _, file := range found {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			tf.write(filepath.Base(file), text)
		}
	}
	rc := tf.write("terraformrc",
		fmt.Appendf(nil, "provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror))
	// By default the garbage collector takes a quarter of each command's processor time.
	tf.env = e2etest.Environment(t, "GOGC=400", "TF_CLI_CONFIG_FILE="+rc, "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1",
		"AWS_ACCESS_KEY_ID="+acc.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+acc.SecretAccessKey,
		"AWS_EC2_METADATA_DISABLED=true")
	return tf
}

func (tf *terraform) write(name string, text []byte) string {
	tf.t.Helper()
	path := filepath.Join(tf.dir, name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		tf.t.Fatal(err)
	}
	return path
}

// run runs 'terraform ARGS' and returns what it printed, and its exit code.
func (tf *terraform) run(args ...string) (string, int) {
	tf.t.Helper()
	switch args[0] {
	case "plan", "apply", "destroy":
		args = append(append([]string{args[0], "-input=false", "-no-color"}, tf.vars...), args[1:]...)
	}
	cmd := exec.Command("terraform", args...)
	cmd.Dir, cmd.Env = tf.dir, tf.env
	began := time.Now()
	out, err := cmd.CombinedOutput()
	tf.t.Logf("terraform %s: %v", args[0], time.Since(began).Round(time.Second))
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		tf.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func (tf *terraform) must(args ...string) string {
	tf.t.Helper()
	out, code := tf.run(args...)
	if code != 0 {
		tf.t.Fatalf("terraform %s: exit code %d\n%s", strings.Join(args, " "), code, e2etest.Tail(out, 8000))
	}
	return out
}

// initAs uses the provider of another directory, where it was found and checked
// before.
func (tf *terraform) initAs(other *terraform) {
	tf.t.Helper()
	const lock = ".terraform.lock.hcl"
	text, err := os.ReadFile(filepath.Join(other.dir, lock))
	e2etest.Must(tf.t, err)
	tf.write(lock, text)
	tf.env = append(slices.Clip(other.env), "TF_DATA_DIR="+filepath.Join(other.dir, ".terraform"))
}

// provide starts the provider that 'init' has found, in the way that its
// developers debug it. All later commands use this process. Otherwise each of them
// starts the provider up to three times, which takes most of the processor time.
func (tf *terraform) provide() {
	tf.t.Helper()
	const below = ".terraform/providers/registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws*"
	found, err := filepath.Glob(filepath.Join(tf.dir, below))
	if err != nil || len(found) != 1 {
		tf.t.Fatalf("'terraform init' has left the providers %q: %v", found, err)
	}
	var said subprocess.Buffer
	cmd := exec.Command(found[0], "-debug")
	cmd.Env, cmd.Stdout = tf.env, &said
	provider, err := subprocess.Start(cmd)
	e2etest.Must(tf.t, err)
	tf.t.Cleanup(provider.Kill)
	e2etest.WaitFor(tf.t, "the address of the provider", func() error {
		_, after, _ := strings.Cut(said.String(), reattach+"='")
		address, _, whole := strings.Cut(after, "'")
		if !whole {
			return fmt.Errorf("it said %q, %q", said.String(), provider.Stderr)
		}
		tf.env = append(tf.env, reattach+"="+address)
		return nil
	})
}

const reattach = "TF_REATTACH_PROVIDERS"

// terraformFiles holds the files that the configuration reads.
type terraformFiles struct{ certificate, key, ssh []byte }

func newTerraformFiles(t *testing.T) (f terraformFiles) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "www.example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(5, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	f.certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	f.key = pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)})
	f.ssh = ssh.MarshalAuthorizedKey(public)
	return f
}

func (tf *terraform) add(f terraformFiles) {
	tf.write("certificate.pem", f.certificate)
	tf.write("key.pem", f.key)
	tf.write("id_rsa.pub", f.ssh)
}

// Terraform creates one of everything, finds nothing to change, imports all of
// it again, and destroys it.
func TestTerraform(t *testing.T) {
	t.Parallel()
	node, acc := e2etest.Dev(t)
	files := newTerraformFiles(t)
	tf := newTerraform(t, node, acc, "*.tf")
	tf.add(files)
	tf.must("init", "-no-color")
	tf.provide()
	tf.must("apply", "-auto-approve")
	t.Run("plans", func(t *testing.T) { // at the same time, because neither changes anything
		t.Run("unchanged", func(t *testing.T) {
			t.Parallel()
			if out, code := tf.in(t).run("plan", "-detailed-exitcode"); code != 0 {
				t.Errorf("a second plan has differences: exit code %d\n%s", code, e2etest.Tail(out, 8000))
			}
		})
		t.Run("import", func(t *testing.T) {
			t.Parallel()
			again := newTerraform(t, node, acc, "provider.tf", "users.tf", "policies.tf", "roles.tf", "import/*.tf")
			again.add(files)
			again.vars = append(again.vars, "-var=ids="+tf.in(t).output("ids"))
			again.initAs(tf)
			out := again.must("plan")
			if want := "31 to import, 0 to add, 0 to change, 0 to destroy."; !strings.Contains(out, want) {
				t.Errorf("the plan does not say %q:\n%s", want, e2etest.Tail(out, 8000))
			}
		})
	})
	tf.must("destroy", "-auto-approve", "-refresh=false")
	left, err := node.IAM(acc.Root()).GetAccountSummary(t.Context(), &iam.GetAccountSummaryInput{})
	e2etest.Must(t, err)
	for _, kind := range []string{"Users", "Groups", "Roles", "Policies", "InstanceProfiles", "ServerCertificates",
		"Providers", "MFADevices"} {
		if n := left.SummaryMap[kind]; n != 0 {
			t.Errorf("%d %s are left", n, kind)
		}
	}
}

// in returns the same directory for a subtest.
func (tf *terraform) in(t *testing.T) *terraform {
	sub := *tf
	sub.t = t
	return &sub
}

func (tf *terraform) output(name string) string {
	tf.t.Helper()
	cmd := exec.Command("terraform", "output", "-json", name)
	cmd.Dir, cmd.Env = tf.dir, tf.env
	out, err := cmd.Output()
	if err != nil {
		tf.t.Fatal(err)
	}
	return string(bytes.TrimSpace(out))
}

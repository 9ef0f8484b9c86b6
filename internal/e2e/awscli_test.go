package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/pquerna/otp/totp"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"
)

// TestAWSCLI runs the sessions of testdata/aws: the AWS CLI of this machine,
// version 1 or 2, against an emulator that each session has for itself.
// ROLLCALL_TEST_AWS names another one than the "aws" on the path.
func TestAWSCLI(t *testing.T) {
	t.Parallel()
	cli, serviceError := findAWS(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/aws",
		Setup: func(env *testscript.Env) error {
			node, acc := dev(env.T().(testing.TB))
			env.Values["node"], env.Values["account"] = node, acc
			env.Setenv("ACCOUNT", acc.AccountID)
			env.Setenv("ROOT_ID", acc.AccessKeyID)
			env.Setenv("ROOT_SECRET", acc.SecretAccessKey)
			for name, value := range clientEnvironment(env.WorkDir, acc) {
				env.Setenv(name, value)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"aws": func(ts *testscript.TestScript, neg bool, args []string) {
				runAWS(ts, neg, cli, serviceError, args)
			},
			"capture": capture, "as": as, "totp": oneTimeCodes, "certificate": certificate,
			"publickey": publicKey, "report": sdkReport, "password": password,
		},
	})
}

// findAWS finds the AWS CLI and the exit code it has for errors of a service.
func findAWS(t *testing.T) (path string, serviceError int) {
	t.Helper()
	name := os.Getenv("ROLLCALL_TEST_AWS")
	if name == "" {
		name = "aws"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v: install Debian's package awscli, or run 'make test'", err)
	}
	out, err := exec.Command(path, "--version").CombinedOutput()
	if err != nil {
		t.Fatalf("%s --version: %v\n%s", path, err, out)
	}
	t.Logf("%s: %s", path, bytes.TrimSpace(out))
	if strings.HasPrefix(string(out), "aws-cli/1.") {
		return path, 255
	}
	return path, 254
}

// clientEnvironment is what a client of AWS's sees: an account's root key, a
// region, and nothing of whoever runs the tests.
func clientEnvironment(home string, acc account) map[string]string {
	env := map[string]string{
		"HOME": home, "AWS_ACCESS_KEY_ID": acc.AccessKeyID, "AWS_SECRET_ACCESS_KEY": acc.SecretAccessKey,
		"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "", "TZ": "UTC", "LC_ALL": "C.UTF-8",
		"COLUMNS": "200",
	}
	// Pythons that pyenv manages need to know where it is.
	if root := os.Getenv("PYENV_ROOT"); root != "" {
		env["PYENV_ROOT"] = root
	}
	return env
}

// runAWS runs 'aws ARGS'. A failure that is expected must be the service's,
// not the CLI's own.
func runAWS(ts *testscript.TestScript, neg bool, cli string, serviceError int, args []string) {
	node := ts.Value("node").(*process)
	err := ts.Exec(cli, append([]string{"--endpoint-url", node.url, "--no-cli-pager"}[:endpointArgs(serviceError)], args...)...)
	if !neg {
		if err != nil {
			ts.Fatalf("aws %s: %v", strings.Join(args, " "), err)
		}
		return
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != serviceError {
		ts.Fatalf("aws %s ended with %v, want exit code %d", strings.Join(args, " "), err, serviceError)
	}
}

// endpointArgs leaves out what version 1 does not know.
func endpointArgs(serviceError int) int {
	if serviceError == 255 {
		return 2
	}
	return 3
}

// capture NAME... sets variables to the words that the last command printed,
// without the quotes of JSON.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	words := strings.Fields(ts.ReadFile("stdout"))
	if len(words) != len(args) {
		ts.Fatalf("%d words for %d variables", len(words), len(args))
	}
	for i, name := range args {
		ts.Setenv(name, strings.Trim(words[i], `"`))
	}
}

// as ID SECRET has the commands that follow sign with a key.
func as(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv("AWS_ACCESS_KEY_ID", args[0])
	ts.Setenv("AWS_SECRET_ACCESS_KEY", args[1])
}

// totp SEEDFILE STEP NAME1 NAME2 sets two variables to the code that a device
// with this seed shows STEP steps from now, and the one after it.
func oneTimeCodes(ts *testscript.TestScript, _ bool, args []string) {
	seed := strings.TrimSpace(ts.ReadFile(args[0]))
	step, err := time.ParseDuration(args[1])
	ts.Check(err)
	for i, name := range args[2:] {
		code, err := totp.GenerateCode(seed, time.Now().Add(step+time.Duration(i)*30*time.Second))
		ts.Check(err)
		ts.Setenv(name, code)
	}
}

// certificate FILE makes a self-signed certificate.
func certificate(ts *testscript.TestScript, _ bool, args []string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: args[0]},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o600))
}

// publickey FILE makes a public key as in authorized_keys.
func publicKey(ts *testscript.TestScript, _ bool, args []string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	ts.Check(err)
	public, err := ssh.NewPublicKey(key.Public())
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), ssh.MarshalAuthorizedKey(public), 0o600))
}

// password FILE writes an AWS CLI input for change-password, with blanks in
// the new password that a shell would take apart.
func password(ts *testscript.TestScript, _ bool, args []string) {
	text := `{"OldPassword": "` + args[1] + `", "NewPassword": "` + args[2] + `"}`
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// report FILE waits for a report and writes what the SDK for Go gets of it.
func sdkReport(ts *testscript.TestScript, _ bool, args []string) {
	node, acc := ts.Value("node").(*process), ts.Value("account").(account)
	client := iam.NewFromConfig(config(node.url, acc.root(), sharedClient))
	var out *iam.GetCredentialReportOutput
	for range 500 {
		var err error
		if out, err = client.GetCredentialReport(context.Background(), &iam.GetCredentialReportInput{}); err == nil {
			break
		}
		code, _ := errorCode(err)
		if !slices.Contains([]string{"ReportInProgress", "ReportNotPresent"}, code) {
			ts.Fatalf("get report: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if out == nil {
		ts.Fatalf("there is no report")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), out.Content, 0o600))
}

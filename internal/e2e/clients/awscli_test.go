package clients

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"maps"
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

	"rollcall/internal/awscli"
	"rollcall/internal/e2e/e2etest"
)

// ownProcesses are the sessions whose commands run in separate processes. The
// commands of the others are forked from one Python process; see package
// awscli.
var ownProcesses = []string{"report"}

// TestAWSCLI runs the sessions of testdata/aws: this machine's AWS CLI, version
// 1 or 2, against a separate emulator for each session.
func TestAWSCLI(t *testing.T) {
	t.Parallel()
	cli, err := awscli.Find()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: version %s", cli.Path, cli.Version)
	server, err := awscli.Start(cli)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e2etest.Must(t, server.Stop()) })
	testscript.Run(t, testscript.Params{
		Dir: "testdata/aws",
		Setup: func(env *testscript.Env) error {
			// A session may take longer than a report remains valid.
			node, acc := e2etest.Dev(env.T().(testing.TB), "--report-max-age", "1h")
			env.Values["node"], env.Values["account"] = node, acc
			env.Setenv("ENDPOINT", node.URL)
			env.Setenv("ACCOUNT", acc.AccountID)
			env.Setenv("ROOT_ID", acc.AccessKeyID)
			env.Setenv("ROOT_SECRET", acc.SecretAccessKey)
			for name, value := range e2etest.ClientEnvironment(env.WorkDir, acc) {
				env.Setenv(name, value)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"aws": func(ts *testscript.TestScript, neg bool, args []string) {
				runAWS(ts, neg, cli, server, args)
			},
			"capture": capture, "as": as, "expand": expand, "totp": oneTimeCodes, "certificate": certificate,
			"publickey": publicKey, "report": sdkReport, "password": password,
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "profiles":
				return cli.ReadsEndpoints(), nil
			case "outbound":
				// A CLI that knows the action names the missing argument.
				out, _ := exec.Command(cli.Path, "sts", "get-web-identity-token").CombinedOutput()
				return strings.Contains(string(out), "--audience"), nil
			}
			return false, errors.New("unknown condition")
		},
	})
}

// clientVariables are the variables of a session that the CLI sees.
var clientVariables = []string{"PATH", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE"}

// runAWS runs 'aws ARGS'. An expected failure must be the service's, not the
// CLI's own.
func runAWS(ts *testscript.TestScript, neg bool, cli awscli.CLI, server *awscli.Server, args []string) {
	command := []string{"--endpoint-url", ts.Value("node").(*e2etest.Process).URL}
	if strings.HasPrefix(cli.Version, "2.") {
		command = append(command, "--no-cli-pager")
	}
	command = append(command, args...)
	var code int
	var err error
	switch {
	case slices.Contains(args, "--profile"):
		// Without a terminal it reads the code of an MFA device from its input.
		code, err = ownProcess(ts, append([]string{"setsid", "--wait", cli.Path}, command...))
	case slices.Contains(ownProcesses, ts.Name()):
		code, err = ownProcess(ts, append([]string{cli.Path}, command...))
	default:
		c := awscli.Command{Args: command, Dir: ts.MkAbs(".")}
		names := slices.Concat(clientVariables,
			slices.Collect(maps.Keys(e2etest.ClientEnvironment("", e2etest.Account{}))))
		for _, name := range names {
			if value := ts.Getenv(name); value != "" {
				c.Env = append(c.Env, name+"="+value)
			}
		}
		code, err = server.Run(c, ts.Stdout(), ts.Stderr())
	}
	want := 0
	if neg {
		want = cli.ServiceError()
	}
	if err != nil || code != want {
		ts.Fatalf("aws %s: exit code %d, %v, want %d", strings.Join(args, " "), code, err, want)
	}
}

func ownProcess(ts *testscript.TestScript, command []string) (int, error) {
	err := ts.Exec(command[0], command[1:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// capture NAME... sets variables to the words in the last command's output,
// without JSON's quotes.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	words := strings.Fields(ts.ReadFile("stdout"))
	if len(words) != len(args) {
		ts.Fatalf("%d words for %d variables", len(words), len(args))
	}
	for i, name := range args {
		ts.Setenv(name, strings.Trim(words[i], `"`))
	}
}

// as ID SECRET [TOKEN] makes later commands sign with a key, or with the
// credentials of a session.
func as(ts *testscript.TestScript, _ bool, args []string) {
	token := ""
	if len(args) > 2 {
		token = args[2]
	}
	ts.Setenv("AWS_ACCESS_KEY_ID", args[0])
	ts.Setenv("AWS_SECRET_ACCESS_KEY", args[1])
	ts.Setenv("AWS_SESSION_TOKEN", token)
}

// expand FILE inserts the variables' values into a file.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// totp SEEDFILE STEP NAME... sets variables to the code that a device with this
// seed shows STEP from now, and to the codes after it. One command returns a
// device's pair and the next code: however long the CLI takes, they are
// consecutive.
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

// certificate FILE [KEYFILE] creates a self-signed certificate, and sets the
// variable CERTIFICATE to it in the form of SAML metadata.
func certificate(ts *testscript.TestScript, _ bool, args []string) {
	body, key, der, err := selfSigned(args[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), body, 0o600))
	if len(args) > 1 {
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), key, 0o600))
	}
	ts.Setenv("CERTIFICATE", base64.StdEncoding.EncodeToString(der))
}

// selfSigned creates a certificate that is valid for a day, and its key.
func selfSigned(name string) (body, key, der []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err = x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), der, err
}

// publickey FILE creates a public key in the form of authorized_keys.
func publicKey(ts *testscript.TestScript, _ bool, args []string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	ts.Check(err)
	public, err := ssh.NewPublicKey(key.Public())
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), ssh.MarshalAuthorizedKey(public), 0o600))
}

// password FILE writes an AWS CLI input for change-password, with blanks in the
// new password that a shell would split.
func password(ts *testscript.TestScript, _ bool, args []string) {
	text := `{"OldPassword": "` + args[1] + `", "NewPassword": "` + args[2] + `"}`
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// report FILE waits for a report and writes the content that the SDK for Go
// gets.
func sdkReport(ts *testscript.TestScript, _ bool, args []string) {
	node, acc := ts.Value("node").(*e2etest.Process), ts.Value("account").(e2etest.Account)
	client := iam.NewFromConfig(e2etest.Config(node.URL, acc.Root(), e2etest.SharedClient))
	var out *iam.GetCredentialReportOutput
	for range 500 {
		var err error
		if out, err = client.GetCredentialReport(context.Background(), &iam.GetCredentialReportInput{}); err == nil {
			break
		}
		code, _ := e2etest.ErrorCode(err)
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

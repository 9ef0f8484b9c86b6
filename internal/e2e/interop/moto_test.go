//go:build interop

package interop

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/e2e/e2etest"
)

// TestMoto lets the tool fetch and judge a report of moto, which is not our
// service.
func TestMoto(t *testing.T) {
	t.Parallel()
	bin := filepath.Join(client(t, "moto"), "bin", "moto_server")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	e2etest.Must(t, err)
	port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	e2etest.Must(t, l.Close())
	url := "http://127.0.0.1:" + port
	cmd := exec.Command(bin, "-H", "127.0.0.1", "-p", port)
	cmd.Env = e2etest.Environment(t)
	e2etest.Launch(t, cmd)
	a := account{url: url, dir: t.TempDir(), env: e2etest.Environment(t)}
	a.iam = iam.NewFromConfig(e2etest.Config(url, e2etest.Key{ID: "test", Secret: "test"}, e2etest.Transport(t)))
	a.env = append(a.env, "AWS_ENDPOINT_URL="+url, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test",
		"AWS_SECRET_ACCESS_KEY=test", "PATH="+os.Getenv("PATH"))
	e2etest.WaitFor(t, "moto", func() error {
		_, err := a.iam.ListUsers(t.Context(), &iam.ListUsersInput{})
		return err
	})
	a.people(t)
	text := a.run(t, e2etest.Binary, "report")
	for _, name := range []string{"Carol", "Dave"} {
		if !strings.Contains(text, "\n"+name+",") {
			t.Errorf("no row of %s in\n%s", name, text)
		}
	}
	audit := exec.Command(e2etest.Binary, "audit", "--control", "C5", "--status", "all", "-o", "csv")
	audit.Dir, audit.Env = a.dir, a.env
	out, err := audit.Output()
	if audit.ProcessState.ExitCode() > 3 {
		t.Fatalf("rollcall audit: %v", err)
	}
	for user, verdict := range map[string]string{"Dave": "FAIL", "Carol": "NOT_APPLICABLE"} {
		found := false
		for line := range strings.Lines(string(out)) {
			found = found || strings.HasPrefix(line, verdict+",") && strings.Contains(line, ","+user+",")
		}
		if !found {
			t.Errorf("%s is not %s in\n%s", user, verdict, out)
		}
	}
}

package faults

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/e2e/e2etest"
	"rollcall/internal/storetest"
)

var disasterUsers = flag.Int("disaster-users", 1000, "users of the installation whose host is lost")

// rehearsal is a recovery whose steps are timed.
type rehearsal struct {
	t     *testing.T
	total time.Duration
}

// step runs a step of docs/operations.md, and prints how long it took.
func (r *rehearsal) step(name string, do func()) {
	begin := time.Now()
	do()
	took := time.Since(begin)
	r.total += took
	r.t.Logf("%-42s %8v", name, took.Round(time.Millisecond))
}

// copyOf copies a file to a place that survives.
func copyOf(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	e2etest.Must(t, err)
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	e2etest.Must(t, err)
	_, err = io.Copy(out, in)
	e2etest.Must(t, err)
	e2etest.Must(t, out.Close())
}

// TestLostHost rehearses the recovery of docs/operations.md. A host is lost with
// all its files, and on PostgreSQL the database is lost too. What remains is the
// last backup, a copy of the master key, and a copy of the trail. On another
// host clients keep their keys and sessions, what was
// changed before the backup is there, and the trail is whole.
func TestLostHost(t *testing.T) {
	e2etest.EachStore(t, func(t *testing.T, flags []string) {
		safe := t.TempDir()
		backup, trail := filepath.Join(safe, "backup"), filepath.Join(safe, "trail.jsonl")
		acc := e2etest.CreateAccount(t, flags...)
		e2etest.Seed(t, flags, acc, *disasterUsers)
		node := e2etest.Serve(t, flags...)
		user := e2etest.CreateKey(t, node, acc, "carol")
		session := sessionOf(t, node, acc)

		r := &rehearsal{t: t}
		r.step("backup, beside the service", func() { e2etest.Operate(t, append([]string{"backup", backup}, flags...)...) })
		copyOf(t, filepath.Join(flags[1], "master.key"), filepath.Join(safe, "master.key"))
		copyOf(t, filepath.Join(flags[1], "trail.jsonl"), trail)
		e2etest.CreateKey(t, node, acc, "later") // lost, as it came after the backup
		e2etest.Must(t, node.Cmd.Process.Kill())
		node.WaitEnd(time.Minute)
		e2etest.Must(t, os.RemoveAll(flags[1]))

		fresh := []string{"--data", e2etest.DataDir(t)}
		if len(flags) > 2 {
			fresh = append(fresh, "--store", storetest.Postgres(t).URL)
		}
		restart(t, r, fresh, safe, func(node *e2etest.Process) {
			if got := e2etest.IdentityOf(t, node.STS(user)); !strings.HasSuffix(got, ":user/carol") {
				t.Errorf("carol's key belongs to %s", got)
			}
			if _, err := session(node).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err != nil {
				t.Errorf("a session from before the loss: %v", err)
			}
			name := "later"
			_, err := node.IAM(acc.Root()).GetUser(t.Context(), &iam.GetUserInput{UserName: &name})
			if got := e2etest.CodeOf(err); got != "NoSuchEntity" {
				t.Errorf("a user of after the backup: %v", err)
			}
			if report := e2etest.Report(t, node, acc); strings.Count(string(report.Content), "\n") < *disasterUsers+2 {
				t.Error("the report lacks users")
			}
		})
		t.Logf("%d users: %v in all", *disasterUsers, r.total.Round(time.Millisecond))
	})
}

// restart makes the installation again from what is in safe, and runs the
// clients.
func restart(t *testing.T, r *rehearsal, flags []string, safe string, clients func(*e2etest.Process)) {
	t.Helper()
	operate := func(args ...string) string { return e2etest.Operate(t, append(args, flags...)...) }
	r.step("put the master key in its place", func() {
		e2etest.Must(t, os.MkdirAll(flags[1], 0o700))
		copyOf(t, filepath.Join(safe, "master.key"), filepath.Join(flags[1], "master.key"))
	})
	r.step("rollcall restore", func() { operate("restore", filepath.Join(safe, "backup")) })
	r.step("rollcall masterkey verify", func() { operate("masterkey", "verify") })
	if len(flags) == 2 { // servers of tests lose changes, which it would find
		r.step("rollcall doctor", func() { operate("doctor", "--listen", "127.0.0.1:0", "--admin-listen", "off") })
	}
	var node *e2etest.Process
	r.step("rollcall serve, until it is ready", func() { node = e2etest.Serve(t, flags...) })
	r.step("clients continue, and a report", func() { clients(node) })
	node.Stop()
	r.step("rollcall trail verify", func() {
		operate("trail", "verify", filepath.Join(safe, "trail.jsonl"), filepath.Join(flags[1], "trail.jsonl"))
	})
}

// sessionOf returns clients with the credentials of a session that begins now.
func sessionOf(t *testing.T, node *e2etest.Process, acc e2etest.Account) func(*e2etest.Process) *sts.Client {
	t.Helper()
	got, err := node.STS(acc.Root()).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	e2etest.Must(t, err)
	c := got.Credentials
	return func(node *e2etest.Process) *sts.Client {
		return sts.New(sts.Options{
			Region: "us-east-1", BaseEndpoint: &node.URL,
			Credentials: credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken),
		})
	}
}

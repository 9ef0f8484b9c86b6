package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/subprocess"
)

// serviceUser is the user of the service in tests that root runs: an id that no
// account on a machine has.
const serviceUser = 54321

// home is a directory of the service's user that can run the binary.
type home struct {
	dir, binary string
}

func newHome(t *testing.T) home {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can run the service as another user")
	}
	binary, err := exec.LookPath("rollcall")
	if err != nil {
		t.Fatal(err)
	}
	if binary, err = filepath.EvalSymlinks(binary); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	top, err := os.MkdirTemp("", "rollcall-owner-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(top) })
	h := home{filepath.Join(top, "home"), filepath.Join(top, "rollcall")}
	for _, err := range []error{
		os.Chmod(top, 0o755), os.Mkdir(h.dir, 0o700), os.Chown(h.dir, serviceUser, serviceUser),
		os.WriteFile(h.binary, text, 0o755),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// as returns a command of the binary that a user runs in the home.
func (h home) as(uid uint32, args ...string) *exec.Cmd {
	c := exec.Command(h.binary, args...)
	c.Dir = h.dir
	c.Env = []string{"HOME=" + h.dir, "PATH=/nowhere"}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	return c
}

// run runs a command to its end, with a line on its standard input.
func (h home) run(t *testing.T, uid uint32, args ...string) (stdout string) {
	t.Helper()
	c := h.as(uid, args...)
	var out, errs bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader("a-Long-Passw0rd!\n"), &out, &errs
	if err := c.Run(); err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, &errs)
	}
	return out.String()
}

// owned checks that everything in the home belongs to the service's user.
func (h home) owned(t *testing.T, after string) {
	t.Helper()
	err := filepath.WalkDir(h.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		owner := info.Sys().(*syscall.Stat_t)
		if owner.Uid != serviceUser || owner.Gid != serviceUser || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("after %s: %s is of user %d, group %d, mode %s", after, strings.TrimPrefix(path, h.dir),
				owner.Uid, owner.Gid, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// serve runs the service as its own user and makes a change with a key.
func (h home) serve(t *testing.T, uid uint32, id, secret, name string) {
	t.Helper()
	c, err := subprocess.Start(h.as(uid, "serve", "--data", "data", "--listen", "127.0.0.1:0", "--admin-listen", "off",
		"--ready-file", "url-"+name))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Kill()
	url := filepath.Join(h.dir, "url-"+name)
	eventually(t, "ready "+c.Stderr.String(), func() bool { _, err := os.Stat(url); return err == nil })
	text, err := os.ReadFile(url)
	if err != nil {
		t.Fatal(err)
	}
	client := iam.New(iam.Options{
		BaseEndpoint: aws.String(strings.TrimSpace(string(text))), Region: "eu-central-1",
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
	})
	if _, err := client.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name}); err != nil {
		t.Errorf("serve as %d: %v", uid, err)
	}
	if uid == 0 {
		h.owned(t, "while root serves")
	}
	if err := c.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("%v: %s", err, c.Stderr)
	}
}

// Whatever root runs on the data of the service's user, the service continues
// to work.
func TestRootLeavesFilesToTheirOwner(t *testing.T) {
	t.Parallel()
	const account = "123456789012"
	policy := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	h := newHome(t)
	// Root creates the very first account: the directory above shows the owner.
	out := h.run(t, 0, "account", "create", "--data", "data", "--id", account)
	h.owned(t, "account create")
	id, secret := keyIn(out)
	h.serve(t, serviceUser, id, secret, "first")
	if err := os.WriteFile(filepath.Join(h.dir, "policy.json"), []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(filepath.Join(h.dir, "policy.json"), serviceUser, serviceUser); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"account", "create", "--id", "999999999999"}, {"account", "list"},
		{"account", "limits", account, "AccessKeysPerUser=4"},
		{"account", "root-key", "create", account}, {"account", "root-key", "list", account},
		{"account", "root-password", account},
		{"account", "mfa-reset", account},
		{"account", "organization", "manage", account, "999999999999"}, {"account", "organization", "show", account},
		{"account", "control-policy", "put", "999999999999", "all", "policy.json"},
		{"account", "control-policy", "list", "999999999999"},
		{"account", "organization", "leave", "999999999999"}, {"report", "--into", "data/reports"},
		{"audit", "--exit-zero"}, {"account", "reports", account},
		{"masterkey", "verify"}, {"masterkey", "rotate"}, {"backup", "backup.rollcall"}, {"backup", "--force",
			"backup.rollcall"},
		{"account", "delete", "999999999999", "--yes"}, {"restore", "backup.rollcall", "--force"},
		{"restore", "backup.rollcall", "--data", "other/data", "--master-key", "data/master.key"},
	} {
		if args[len(args)-2] != "--master-key" {
			args = append(args, "--data", "data")
		}
		h.run(t, 0, args...)
		h.owned(t, strings.Join(args, " "))
	}
	h.serve(t, 0, id, secret, "by-root")
	h.owned(t, "serve")
	h.serve(t, serviceUser, id, secret, "last")
}

// keyIn reads the access key that account create prints.
func keyIn(text string) (id, secret string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if v, ok := strings.CutPrefix(line, "export AWS_ACCESS_KEY_ID="); ok {
			id = v
		}
		if v, ok := strings.CutPrefix(line, "export AWS_SECRET_ACCESS_KEY="); ok {
			secret = v
		}
	}
	return id, secret
}

// A user cannot make root change the owner of root's files through a link.
func TestRootFollowsNoLinkOfOthers(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	victim := filepath.Join(filepath.Dir(h.dir), "shadow")
	if err := os.WriteFile(victim, []byte("root's own"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.run(t, serviceUser, "account", "create", "--data", "data")
	for _, name := range []string{"master.key.lock", "rollcall.db.lock", "rollcall.db-wal", "rollcall.db-shm"} {
		path := filepath.Join(h.dir, "data", name)
		os.Remove(path)
		if err := os.Symlink(victim, path); err != nil {
			t.Fatal(err)
		}
		c := h.as(0, "masterkey", "rotate", "--data", "data")
		text, err := c.CombinedOutput()
		t.Logf("%s: %v %s", name, err, text)
		os.Remove(path)
		info, err := os.Stat(victim)
		if err != nil {
			t.Fatal(err)
		}
		content, _ := os.ReadFile(victim)
		if uid := info.Sys().(*syscall.Stat_t).Uid; uid != 0 || string(content) != "root's own" {
			t.Errorf("%s: the file is of user %s and holds %q", name, strconv.Itoa(int(uid)), content)
		}
	}
}

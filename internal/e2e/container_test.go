package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/e2e/e2etest"
)

// container is the amount of memory that docs/operations.md calls enough.
const container = 128 << 20

var (
	containerMemory = flag.Int("container", container>>20, "MiB of memory of a small container")
	containerUsers  = flag.Int("container-users", 20_000, "users of the account in a small container")
)

// By default, a container of that size is sufficient for changes, a report and
// unauthenticated clients at the same time. The test needs permission to create
// a control group.
func TestSmallContainer(t *testing.T) {
	if e2etest.RaceEnabled {
		t.Skip("the race detector needs several times the memory")
	}
	group := newGroup(t, *containerMemory<<20)
	flags := []string{"--data", e2etest.DataDir(t)}
	a := e2etest.CreateAccount(t, flags...)
	e2etest.Seed(t, flags, a, *containerUsers)
	// The shell joins the group and becomes the service.
	cmd := exec.Command("sh", append([]string{"-c", `echo $$ > "$0"/cgroup.procs && exec "$@"`, group.dir,
		e2etest.Binary, "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--log-format", "json",
		"--rate-limit", "0", "--account-rate-limit", "0"}, flags...)...)
	cmd.Env = e2etest.Environment(t)
	p := e2etest.Launch(t, cmd)
	p.WaitListening()

	closeAll := hold(p.URL, *strangers,
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
			"Content-Length: 393216\r\n\r\n"+strings.Repeat("a", 393000))
	defer closeAll()
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Second)
	defer stop()
	var changes sync.WaitGroup
	for worker := range 8 {
		changes.Go(func() {
			client := p.IAM(a.Root())
			for n := 0; ctx.Err() == nil; n++ {
				name := fmt.Sprintf("w%d-%d", worker, n)
				if _, err := client.CreateUser(t.Context(),
					&iam.CreateUserInput{UserName: aws.String(name)}); err != nil {
					t.Errorf("create %s: %v", name, err)
					return
				}
			}
		})
	}
	e2etest.Report(t, p, a)
	changes.Wait()
	select {
	case <-p.Ended:
		t.Fatalf("it ended: %v", p.Err)
	default:
	}
	t.Logf("at most %d MiB of anonymous memory, failures to get more: %s", resident(t, p, "VmHWM")>>20,
		group.read(t, "memory.failcnt"))
}

// group is a control group with a memory limit.
type group struct{ dir string }

// newGroup creates one, of version 1 or 2, whichever works.
func newGroup(t *testing.T, limit int) group {
	t.Helper()
	name := "rollcall-" + strconv.Itoa(os.Getpid())
	for mount, file := range map[string]string{"/sys/fs/cgroup/memory": "memory.limit_in_bytes",
		"/sys/fs/cgroup": "memory.max"} {
		g := group{filepath.Join(mount, name)}
		if os.Mkdir(g.dir, 0o755) != nil {
			continue
		}
		t.Cleanup(func() { os.Remove(g.dir) })
		if os.WriteFile(filepath.Join(g.dir, file), []byte(strconv.Itoa(limit)), 0o644) == nil {
			return g
		}
	}
	t.Skip("no control group with a memory limit can be made here")
	return group{}
}

func (g group) read(t *testing.T, file string) string {
	text, err := os.ReadFile(filepath.Join(g.dir, file))
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}

package e2e

import (
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rollcall/internal/e2e/e2etest"
)

// TestStart measures the time from exec to the first answer. The limit is
// generous, for machines that are busy. The figure is printed.
func TestStart(t *testing.T) {
	const bound = 2 * time.Second
	var took []time.Duration
	for range 5 {
		address := freeAddress(t)
		cmd := exec.Command(e2etest.Binary, "dev", "--listen", address)
		cmd.Env = e2etest.Environment(t)
		start := time.Now()
		p := e2etest.Launch(t, cmd)
		for {
			response, err := http.Get("http://" + address + "/?Action=ListUsers&Version=2010-05-08")
			if err == nil {
				response.Body.Close()
				if response.StatusCode != http.StatusForbidden {
					t.Fatalf("an unsigned call was answered %s", response.Status)
				}
				break
			}
			if time.Since(start) > e2etest.StartTimeout {
				t.Fatalf("no answer after %v: %v\n%s", e2etest.StartTimeout, err, p.Stderr)
			}
			time.Sleep(500 * time.Microsecond)
		}
		took = append(took, time.Since(start))
		p.Kill()
	}
	slices.Sort(took)
	t.Logf("dev, from exec to first answer: %v (median of %d, fastest %v)", took[len(took)/2].Round(time.Millisecond),
		len(took), took[0].Round(time.Millisecond))
	if took[0] > bound {
		t.Errorf("the fastest of %d starts took %v, want at most %v", len(took), took[0], bound)
	}
}

// freeAddress returns an address that was free a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestInitialization measures the cost of every start, whatever the command:
// the memory that our packages, and all packages together, allocate before main.
// Bytes can be compared on machines of any speed.
func TestInitialization(t *testing.T) {
	const bound, all = 64 << 10, 1_300_000
	cmd := exec.Command(e2etest.Binary, "version")
	cmd.Env = append(e2etest.Environment(t), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	packages := regexp.MustCompile(`(?m)^init (\S+) .* (\d+) bytes`).FindAllStringSubmatch(string(out), -1)
	if len(packages) == 0 {
		t.Fatalf("no package was traced:\n%s", out)
	}
	sum := 0
	for _, p := range packages {
		n, err := strconv.Atoi(p[2])
		sum += n
		ours := p[1] == "main" || strings.HasPrefix(p[1], "rollcall/")
		if err != nil || ours && n > bound {
			t.Errorf("package %s takes %s bytes when the program starts, want at most %d: make it when it is "+
				"first used", p[1], p[2], bound)
		}
	}
	t.Logf("%d packages take %d bytes before main", len(packages), sum)
	if sum > all {
		t.Errorf("all packages take %d bytes when the program starts, want at most %d", sum, all)
	}
}

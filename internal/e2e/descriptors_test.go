package e2e

import (
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// With few descriptors, and more clients than those who read no answer, others
// are served, the service can be watched, and it ends well within its grace.
func TestFewDescriptors(t *testing.T) {
	t.Parallel()
	flags := []string{"--data", dataDir(t)}
	a := createAccount(t, flags...)
	cmd := exec.Command("sh", append([]string{"-c", `ulimit -n 256 && exec "$0" "$@"`,
		binary, "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--log-format", "json"}, flags...)...)
	cmd.Env = environment(t)
	p := launch(t, cmd)
	p.waitListening()
	for _, at := range []string{p.url, p.admin} {
		other := *p
		other.url = at
		defer other.hold(300, strings.Repeat("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 10_000))()
	}
	for range 5 {
		time.Sleep(200 * time.Millisecond)
		// On new connections each; the SDK tries again where one is ended.
		patient := config(p.url, a.root(), transport(t))
		patient.Retryer = nil
		if err := signsWith(t.Context(), patient); err != nil {
			t.Errorf("beside clients that read nothing: %v", err)
		}
		ready, err := http.Get(p.admin + "/readyz")
		if err != nil {
			t.Errorf("beside clients that read nothing: %v", err)
			continue
		}
		ready.Body.Close()
	}
	begin := time.Now()
	p.signal(syscall.SIGTERM)
	p.waitEnd(40 * time.Second)
	if took := time.Since(begin); took > 25*time.Second || p.err != nil {
		t.Errorf("the end took %v: %v", took, p.err)
	}
	t.Logf("the end took %v", time.Since(begin))
}

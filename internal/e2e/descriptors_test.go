package e2e

import (
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall/internal/e2e/e2etest"
)

// With few descriptors, and many clients that read no answer, others still get
// answers, the service can be watched, and it ends well within its grace
// period.
func TestFewDescriptors(t *testing.T) {
	t.Parallel()
	flags := []string{"--data", e2etest.DataDir(t)}
	a := e2etest.CreateAccount(t, flags...)
	cmd := exec.Command("sh", append([]string{"-c", `ulimit -n 256 && exec "$0" "$@"`,
		e2etest.Binary, "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--log-format", "json"},
		flags...)...)
	cmd.Env = e2etest.Environment(t)
	p := e2etest.Launch(t, cmd)
	p.WaitListening()
	for _, at := range []string{p.URL, p.Admin} {
		defer hold(at, 300, strings.Repeat("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 10_000))()
	}
	for range 5 {
		time.Sleep(200 * time.Millisecond)
		// Each on a new connection; the SDK tries again if one is ended.
		patient := e2etest.Config(p.URL, a.Root(), e2etest.Transport(t))
		patient.Retryer = nil
		if err := e2etest.SignsWith(t.Context(), patient); err != nil {
			t.Errorf("beside clients that read nothing: %v", err)
		}
		ready, err := http.Get(p.Admin + "/readyz")
		if err != nil {
			t.Errorf("beside clients that read nothing: %v", err)
			continue
		}
		ready.Body.Close()
	}
	begin := time.Now()
	p.Signal(syscall.SIGTERM)
	p.WaitEnd(40 * time.Second)
	if took := time.Since(begin); took > 25*time.Second || p.Err != nil {
		t.Errorf("the end took %v: %v", took, p.Err)
	}
	t.Logf("the end took %v", time.Since(begin))
}

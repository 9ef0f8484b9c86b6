package service_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/sigv4/sigv4test"
)

// Calls continue while the emulator is reset. Each uses one life of it, and
// each is recorded.
func TestEmulatorReset(t *testing.T) {
	t.Parallel()
	trail := filepath.Join(t.TempDir(), "trail.jsonl")
	e, err := service.OpenEmulator(t.Context(), service.EmulatorConfig{
		Account: identity.AccountSpec{ID: "000000000000", RootKeyID: "test", RootSecret: seal.NewSecret("test")},
		Trail:   trail,
	})
	if err != nil {
		t.Fatal(err)
	}
	call := func(query string) (int, string) {
		r := httptest.NewRequest(http.MethodPost, "http://localhost/", strings.NewReader(query))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		sigv4test.Sign(r, []byte(query), sigv4test.Credentials{AccessKeyID: "test", SecretAccessKey: "test"},
			"us-east-1", "iam", time.Now())
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	const callers, calls = 4, 25
	var wait sync.WaitGroup
	for range callers {
		wait.Go(func() {
			for range calls {
				if code, body := call("Action=ListUsers&Version=2010-05-08"); code != http.StatusOK {
					t.Errorf("%d %s", code, body)
				}
			}
		})
	}
	for range 5 {
		if code, body := call("Action=CreateUser&Version=2010-05-08&UserName=bill"); code != http.StatusOK {
			t.Errorf("%d %s", code, body)
		}
		if err := e.Reset(t.Context()); err != nil {
			t.Error(err)
		}
	}
	wait.Wait()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(trail)
	if err != nil {
		t.Fatal(err)
	}
	resets := strings.Count(string(text), `"eventName":"ResetEmulator"`)
	if n := strings.Count(string(text), "\n"); resets != 5 || n != callers*calls+5+resets {
		t.Errorf("%d lines in the trail, %d of resets, want %d and 5", n, resets, callers*calls+10)
	}
}

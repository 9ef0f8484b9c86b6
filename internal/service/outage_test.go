package service_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

const (
	temporaryFailure = "The request has failed due to a temporary failure of the server."
	unknownOutcome   = "It is not known whether the request was carried out."
)

// If the store is gone, the answer is a server error in AWS's words.
func TestStoreClosed(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		w := newWorld(t, service.Config{Store: cfg})
		if err := w.Service.Close(); err != nil {
			t.Fatal(err)
		}
		for _, action := range []string{"GetUser", "CreateUser", "GetCredentialReport",
			"GenerateCredentialReport", "GetCallerIdentity"} {
			a := w.callAs(t, w.root, action)
			wants(t, a, 503, "ServiceUnavailable", temporaryFailure)
			if !strings.Contains(a.body, "<Type>Receiver</Type>") {
				t.Errorf("%s", a.body)
			}
		}
		if err := w.Ready(t.Context()); err == nil {
			t.Error("ready on a closed store")
		}
	})
}

// PostgreSQL stops under load and starts again. Every answer has AWS's form,
// acknowledged changes exist, and nothing has to be restarted.
func TestPostgresGoesAway(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	pg, err := storetest.StartServer(ctx, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pg.Stop() })
	w := newWorld(t, service.Config{Store: store.Config{URL: pg.URL}})

	acknowledged := make(chan string, 100_000)
	stop := make(chan struct{})
	ended := make(chan error, 4)
	for worker := range 4 {
		go func() {
			ended <- func() error {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return nil
					default:
					}
					name := fmt.Sprintf("user-%d-%d", worker, i)
					_, err := w.root.CreateUser(ctx, &iam.CreateUserInput{UserName: &name})
					switch f := failureOf(err); {
					case err == nil:
						acknowledged <- name
					case f != failure{503, "ServiceUnavailable", temporaryFailure} &&
						f != failure{503, "ServiceUnavailable", unknownOutcome}: // it was about to commit
						return fmt.Errorf("%+v", f)
					default:
						time.Sleep(10 * time.Millisecond)
					}
				}
			}()
		}()
	}
	time.Sleep(300 * time.Millisecond)
	if err := pg.Kill(); err != nil {
		t.Fatal(err)
	}
	a := w.callAs(t, w.root, "GetUser")
	wants(t, a, 503, "ServiceUnavailable", temporaryFailure)
	if xml.Unmarshal([]byte(a.body), new(struct{})) != nil {
		t.Errorf("%s", a.body)
	}
	if err := w.Ready(ctx); err == nil {
		t.Error("ready without a database")
	}
	time.Sleep(200 * time.Millisecond)
	before := len(acknowledged)
	if err := pg.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); len(acknowledged) < before+20; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the service does not come back with its database")
		}
	}
	close(stop)
	for range 4 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	close(acknowledged)
	have := map[string]bool{}
	pages := iam.NewListUsersPaginator(w.root, &iam.ListUsersInput{MaxItems: ptr(int32(1000))})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range out.Users {
			have[*u.UserName] = true
		}
	}
	for name := range acknowledged {
		if !have[name] {
			t.Errorf("%s was acknowledged and is not there", name)
		}
	}
}

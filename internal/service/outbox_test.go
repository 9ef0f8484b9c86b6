package service_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// If a crash kept a change's record from the trail, the record is written soon
// after the next start. It contains the caller, the request, and the ids of
// what was created, but no secret.
func TestRecordsAfterCrash(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]store.Config{"sqlite": storetest.SQLite(t), "postgres": storetest.Postgres(t)} {
		t.Run(name, func(t *testing.T) {
			cfg.Now = time.Now
			w := newWorld(t, service.Config{Store: cfg})
			w.user(t, "Ann")
			w.trail.fail.Store(true) // as if the process had ended here
			refused(t, w.root.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: ptr("Ann")}, 500, "ServiceFailure",
				"The request was carried out but could not be recorded.")
			w.trail.fail.Store(false)
			w.end()

			next := start(t, service.Config{Store: cfg, Master: w.cfg.Master})
			var lines []string
			for end := time.Now().Add(2 * time.Minute); !strings.Contains(next.trail.String(), "\n") &&
				time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			}
			if lines = next.trail.lines(); len(lines) != 1 {
				t.Fatalf("trail %q", lines)
			}
			keys := must(t, next.as(w.root.id, w.root.key).ListAccessKeys,
				&iam.ListAccessKeysInput{UserName: ptr("Ann")})
			var got struct {
				EventName, EventID, RequestID, ErrorCode string
				UserIdentity                             struct{ ARN string }
				RequestParameters                        struct{ UserName string }
				AdditionalEventData                      struct {
					Recovered bool
					Made      []string
				}
			}
			if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
				t.Fatal(err)
			}
			if got.EventName != "CreateAccessKey" || got.ErrorCode != "" || got.EventID == "" || got.RequestID == "" ||
				got.UserIdentity.ARN != rootARN || got.RequestParameters.UserName != "Ann" ||
				!got.AdditionalEventData.Recovered ||
				len(got.AdditionalEventData.Made) != 1 ||
				got.AdditionalEventData.Made[0] != *keys.AccessKeyMetadata[0].AccessKeyId {
				t.Errorf("record %s", lines[0])
			}
			if !strings.Contains(w.log.String(), "write trail") {
				t.Errorf("the log says nothing of the record that was not written")
			}
		})
	}
}

package faults

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/internal/e2e/e2etest"
	"rollcall/internal/leavers"
	"rollcall/internal/sigv4/sigv4test"
)

// TestTrailAfterCrash kills the service under callers that leave, again and
// again. After the next start every change in the data has a record of a
// success in the trail, and no other change has one.
func TestTrailAfterCrash(t *testing.T) {
	e2etest.EachStore(t, func(t *testing.T, flags []string) {
		a := e2etest.CreateAccount(t, flags...)
		file := filepath.Join(t.TempDir(), "trail.jsonl")
		flags = append(flags, "--trail", file)
		end := time.Now().Add(*e2etest.Soak)
		for round := 0; round < 2 || time.Now().Before(end); round++ {
			node := e2etest.Serve(t, flags...)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			load := leavers.Load{
				Addr: strings.TrimPrefix(node.URL, "http://"), Name: "u-" + time.Now().Format("150405.000000"),
				Patience:    5 * time.Millisecond,
				Credentials: sigv4test.Credentials{AccessKeyID: a.AccessKeyID, SecretAccessKey: a.SecretAccessKey},
			}
			time.AfterFunc(500*time.Millisecond, node.Kill)
			result := load.Run(ctx)
			cancel()
			node.Kill()

			node = e2etest.Serve(t, flags...)
			fates := waitForRecords(t, file, load.Name)
			agree, err := fates.Check(t.Context(), node.IAM(a.Root()), load.Name)
			if err != nil {
				t.Errorf("round %d: %v", round, err)
			}
			t.Logf("round %d: %d calls, %d changes recorded, %d of them after the crash only, %d twice, %d facts agree",
				round, result.Calls, fates.Changes, fates.Recovered, fates.Twice, agree)
			node.Stop()
		}
	})
}

// waitForRecords reads the trail when no records have come for a while: a node
// waits until others are known to be dead.
func waitForRecords(t *testing.T, file, prefix string) leavers.Fates {
	t.Helper()
	for size := int64(-1); ; {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() == size {
			break
		}
		size = info.Size()
		time.Sleep(4 * time.Second)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fates, err := leavers.Read(f, prefix)
	if err != nil {
		t.Fatal(err)
	}
	return fates
}

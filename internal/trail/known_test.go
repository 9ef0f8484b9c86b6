package trail

import (
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func testMAC(purpose string, data []byte) []byte {
	h := hmac.New(sha256.New, []byte("key of "+purpose))
	h.Write(data)
	return h.Sum(nil)
}

// keptTrail returns a file with the records of a trail, and its head.
func keptTrail(t *testing.T, records int) (path string, head KnownHead) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "trail.jsonl")
	tr := openSigned(t, path)
	for range records {
		mustWrite(t, tr, Record{EventName: "A", EventTime: time.Now()})
	}
	mustClose(t, tr)
	known := tr.Known(testMAC)
	if known == nil || known.Seq != uint64(records)+1 || !known.Proven(testMAC) {
		t.Fatalf("the head is %+v", known)
	}
	return path, *known
}

// Only what is on disk is known, so that a power cut never looks like a cut
// trail.
func TestOnlyDurableIsKnown(t *testing.T) {
	tr := mustOpen(t, filepath.Join(t.TempDir(), "trail.jsonl"))
	mustWrite(t, tr, Record{EventName: "A", EventTime: time.Now()})
	if known := tr.Known(testMAC); known != nil {
		t.Errorf("before the flush: %+v", known)
	}
	if err := tr.Flush(); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, tr, Record{EventName: "B", EventTime: time.Now()})
	if known := tr.Known(testMAC); known == nil || known.Seq != 1 {
		t.Errorf("after the flush: %+v", known)
	}
	if err := tr.Flush(); err != nil {
		t.Fatal(err)
	}
	known := tr.Known(testMAC)
	if known == nil || known.Seq != 2 || !filepath.IsAbs(known.Path) || known.Host == "" {
		t.Fatalf("after another flush: %+v", known)
	}
	for _, change := range []func(*KnownHead){
		func(h *KnownHead) { h.Seq-- }, func(h *KnownHead) { h.Hash = h.Chain }, func(h *KnownHead) { h.Chain = h.Hash },
		func(h *KnownHead) { h.Place = "x" }, func(h *KnownHead) { h.Path = "x" }, func(h *KnownHead) { h.Host = "x" },
	} {
		forged := *known
		if change(&forged); forged.Proven(testMAC) {
			t.Errorf("a forged head is proven: %+v", forged)
		}
	}
	if known := New(new(strings.Builder)).Known(testMAC); known != nil {
		t.Errorf("of a sink that is no file: %+v", known)
	}
}

// shorten cuts the last lines off a file.
func shorten(t *testing.T, path string, lines int) {
	t.Helper()
	all := strings.SplitAfter(strings.TrimSuffix(mustRead(t, path), "\n"), "\n")
	text := strings.Join(all[:len(all)-lines], "")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A cut that happened while no process watched is noticed at the next start, and stays visible in
// the trail.
func TestLostRecordsAreNoticed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, path string)
		lacks  string
	}{
		"last record":   {func(t *testing.T, path string) { shorten(t, path, 1) }, "record 6 of chain "},
		"three records": {func(t *testing.T, path string) { shorten(t, path, 3) }, "records 4 to 6 of chain "},
		"emptied":       {func(t *testing.T, path string) { shorten(t, path, 6) }, "are in no file here"},
		"deleted":       {func(t *testing.T, path string) { remove(t, path) }, "are in no file here"},
		"another trail": {func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(written(t, "A", "B", "C")), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "are in no file here"},
		"another end": {func(t *testing.T, path string) {
			shorten(t, path, 2)
			tr := openSigned(t, path)
			mustWrite(t, tr, Record{EventName: "B", EventTime: time.Now()})
			mustClose(t, tr)
		}, "record 6 of chain "},
		"replaced by a record that claims to come later": {func(t *testing.T, path string) {
			later := Link{Chain: chainOf(t, path), Seq: 4711, Prev: "x"}
			text := fmt.Sprintf(`{"eventName":"A","additionalEventData":{"trail":%s}}`+"\n", mustMarshal(t, later))
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "are in no file here"},
		"deleted, beside a file that cannot be read": {func(t *testing.T, path string) {
			remove(t, path)
			if err := os.WriteFile(path+".1.gz", []byte("\x1f\x8b\x08 no more"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "are in no file here"},
		"rotated and cut": {func(t *testing.T, path string) {
			rename(t, path, path+".1")
			shorten(t, path+".1", 2)
		}, "records 5 to 6 of chain "},
	} {
		t.Run(name, func(t *testing.T) {
			path, head := keptTrail(t, 5)
			c.change(t, path)
			tr := openSigned(t, path)
			lacks, err := tr.Expect(head.Head)
			if err != nil || !strings.Contains(lacks, c.lacks) {
				t.Errorf("said %q, %v", lacks, err)
			}
			mustWrite(t, tr, Record{EventName: "Z", EventTime: time.Now()})
			mustClose(t, tr)
			report := verify(t, verifier(), mustRead(t, path))
			if len(report.Problems) == 0 {
				t.Errorf("later nothing is found: %+v", report.Notes)
			}
			// The new chain is as good as any.
			if gap, err := Missing(path, tr.Known(testMAC).Head); gap != nil || err != nil {
				t.Errorf("the new chain: %v, %v", gap, err)
			}
		})
	}
}

// chainOf returns the chain of the first record of a file.
func chainOf(t *testing.T, path string) string {
	t.Helper()
	line, _, _ := strings.Cut(mustRead(t, path), "\n")
	parsed, _ := parseLink([]byte(line))
	return parsed.AdditionalEventData.Trail.Chain
}

func mustMarshal(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A head that is older than the file, rotation, and a line break that a crash
// has cut off are no loss.
func TestNothingIsLost(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, path string){
		"unchanged": func(*testing.T, string) {},
		"more records": func(t *testing.T, path string) {
			tr := openSigned(t, path)
			for range 10 {
				mustWrite(t, tr, Record{EventName: "B", EventTime: time.Now()})
			}
			mustClose(t, tr)
		},
		"no line break": func(t *testing.T, path string) {
			if err := os.Truncate(path, int64(len(mustRead(t, path))-1)); err != nil {
				t.Fatal(err)
			}
		},
		"half a line more": func(t *testing.T, path string) { mustAppend(t, path, `{"eventVersion":"1.11","use`) },
		"rotated":          func(t *testing.T, path string) { rename(t, path, path+".1") },
		"rotated by date":  func(t *testing.T, path string) { rename(t, path, path+"-20261201") },
		"rotated and compressed": func(t *testing.T, path string) {
			f, err := os.Create(path + ".1.gz")
			if err != nil {
				t.Fatal(err)
			}
			pack := gzip.NewWriter(f)
			if _, err := pack.Write([]byte(mustRead(t, path))); err != nil {
				t.Fatal(err)
			}
			if err := pack.Close(); err != nil {
				t.Fatal(err)
			}
			remove(t, path)
		},
		"rotated while it was written": func(t *testing.T, path string) {
			tr := openSigned(t, path)
			mustWrite(t, tr, Record{EventName: "B", EventTime: time.Now()})
			rename(t, path, path+".1")
			if err := tr.Reopen(); err != nil {
				t.Fatal(err)
			}
			mustWrite(t, tr, Record{EventName: "C", EventTime: time.Now()})
			mustClose(t, tr)
		},
		"rotated five times while it was written": func(t *testing.T, path string) {
			tr := openSigned(t, path)
			for _, name := range []string{".5", ".4", ".3", ".2", ".1"} {
				mustWrite(t, tr, Record{EventName: "B", EventTime: time.Now()})
				rename(t, path, path+name)
				if err := tr.Reopen(); err != nil {
					t.Fatal(err)
				}
			}
			mustWrite(t, tr, Record{EventName: "C", EventTime: time.Now()})
			mustClose(t, tr)
		},
		"rotated, and compressed, and written": func(t *testing.T, path string) {
			rename(t, path, path+".1")
			tr := openSigned(t, path)
			mustWrite(t, tr, Record{EventName: "C", EventTime: time.Now()})
			mustClose(t, tr)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path, head := keptTrail(t, 5)
			change(t, path)
			tr := openSigned(t, path)
			if lacks, err := tr.Expect(head.Head); lacks != "" || err != nil {
				t.Errorf("said %q, %v", lacks, err)
			}
			mustWrite(t, tr, Record{EventName: "Z", EventTime: time.Now()})
			mustClose(t, tr)
			if report := verify(t, verifier(), mustRead(t, path)); len(report.Problems) > 0 {
				t.Errorf("%+v", report.Problems)
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// The verifier compares files with what the database knows, including those of other
// machines, and of the files before.
func TestVerifierKnowsHeads(t *testing.T) {
	path, head := keptTrail(t, 5)
	elsewhere := head
	elsewhere.Place, elsewhere.Host, elsewhere.Chain = "elsewhere", "b", "other"
	elsewhere.Proof = elsewhere.prove(testMAC)
	forged := head
	forged.Seq--
	at := func(name string, heads ...KnownHead) *VerifyReport {
		v := verifier()
		v.Known, v.MAC = heads, testMAC
		if err := v.File(name, strings.NewReader(mustRead(t, name))); err != nil {
			t.Fatal(err)
		}
		return v.Report()
	}
	if r := at(path, head); len(r.Problems) > 0 {
		t.Errorf("whole: %+v", r.Problems)
	}
	if r := at(path, elsewhere); len(r.Problems) > 0 || len(r.Notes) != 2 {
		t.Errorf("another machine: %+v", r)
	}
	if r := at(path, forged); len(r.Problems) != 1 {
		t.Errorf("forged: %+v", r)
	}
	shorten(t, path, 2)
	if r := at(path, head); len(r.Problems) != 1 || !strings.HasPrefix(r.Problems[0].Text, "records 5 to 6 of chain") {
		t.Errorf("cut: %+v", r)
	}
	if err := os.WriteFile(path, []byte(written(t, "A")), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := at(path, head); len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Text, "is in none of the files") {
		t.Errorf("replaced: %+v", r)
	}

	// Of a file that was rotated, the rest may be in the next one. Under the
	// name of the newest it must not be the last.
	tr := openSigned(t, path)
	mustWrite(t, tr, Record{EventName: "B", EventTime: time.Now()})
	rename(t, path, path+".1")
	if err := tr.Reopen(); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, tr, Record{EventName: "C", EventTime: time.Now()})
	mustClose(t, tr)
	if r := at(path+".1", *tr.Known(testMAC)); len(r.Problems) > 0 {
		t.Errorf("the file before: %+v", r.Problems)
	}
	rename(t, path+".1", path)
	if r := at(path, *tr.Known(testMAC)); len(r.Problems) != 1 {
		t.Errorf("the file before in place of the newest: %+v", r)
	}
}

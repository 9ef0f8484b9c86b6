package trail

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// testKey is a key of an installation.
var testKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

func testSigner(message []byte) (string, []byte) {
	id := KeyID(testKey.Public().(ed25519.PublicKey))
	if message == nil {
		return id, nil
	}
	return id, ed25519.Sign(testKey, message)
}

func verifier() *Verifier {
	public := testKey.Public().(ed25519.PublicKey)
	return &Verifier{Keys: map[string]ed25519.PublicKey{KeyID(public): public}}
}

// verify verifies the texts as files named a, b and so on.
func verify(t testing.TB, v *Verifier, texts ...string) *VerifyReport {
	t.Helper()
	for i, text := range texts {
		if err := v.File(string(rune('a'+i)), strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	return v.Report()
}

func mustBeWhole(t testing.TB, texts ...string) *VerifyReport {
	t.Helper()
	report := verify(t, verifier(), texts...)
	if len(report.Problems) > 0 {
		t.Fatalf("problems %v", report.Problems)
	}
	return report
}

func openSigned(t testing.TB, path string) *Trail {
	t.Helper()
	tr, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	tr.SignWith(testSigner)
	return tr
}

func mustClose(t testing.TB, tr *Trail) {
	t.Helper()
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
}

// written returns a trail of some records that ends with a checkpoint.
func written(t *testing.T, names ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	tr := openSigned(t, path)
	for _, name := range names {
		mustWrite(t, tr, Record{EventName: name, EventTime: time.Now()})
	}
	mustClose(t, tr)
	return mustRead(t, path)
}

func TestChain(t *testing.T) {
	text := written(t, "A", "B", "C")
	if got := names(mustEvents(t, text, 0)); got != "A B C TrailCheckpoint" {
		t.Errorf("events %s", got)
	}
	report := mustBeWhole(t, text)
	if c := report.Chains[0]; len(report.Chains) != 1 || c.First != 1 || c.Head.Seq != 4 || c.Unproven != 0 ||
		report.Records != 4 {
		t.Errorf("%+v", report.Chains)
	}
}

// Whatever is done to any line before the last checkpoint is found, and the
// finding names the line or the one after it.
func TestVerifierFindsEveryChange(t *testing.T) {
	text := written(t, "A", "B", "C", "D", "E")
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	lines[len(lines)-1] += "\n"
	for name, change := range map[string]func(i int) []string{
		"changed": func(i int) []string {
			return splice(lines, i, 1, strings.Replace(lines[i], `"eventName":"`, `"eventName":"x`, 1))
		},
		"taken away": func(i int) []string { return splice(lines, i, 1) },
		"repeated":   func(i int) []string { return splice(lines, i, 0, lines[i]) },
		"swapped":    func(i int) []string { return splice(lines, i, 2, lines[i+1], lines[i]) },
		"inserted":   func(i int) []string { return splice(lines, i, 0, "{\"eventName\":\"X\"}\n") },
		"text":       func(i int) []string { return splice(lines, i, 0, "x\n") },
		"torn":       func(i int) []string { return splice(lines, i, 1, lines[i][:20]+"\n") },
		"joined":     func(i int) []string { return splice(lines, i, 1, strings.TrimSuffix(lines[i], "\n")) },
	} {
		for i := 1; i < len(lines)-1; i++ {
			changed := change(i)
			report := verify(t, verifier(), strings.Join(changed, ""))
			if len(report.Problems) == 0 {
				t.Errorf("%s, line %d: not found", name, i+1)
				continue
			}
			if at := report.Problems[0].Line; at < i || at > i+2 {
				t.Errorf("%s, line %d: found at %d, %s", name, i+1, at, report.Problems[0].Text)
			}
		}
	}
}

func splice(lines []string, at, less int, more ...string) []string {
	out := append([]string(nil), lines[:at]...)
	return append(append(out, more...), lines[at+less:]...)
}

// rehashed gives the lines the hashes that fit, as somebody without the key can.
func rehashed(text string) string {
	var out []byte
	prev := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		parsed, _ := parseLink([]byte(line))
		if l := parsed.AdditionalEventData.Trail; l.Prev != "" {
			line = strings.Replace(line, l.Prev, prev, 1)
		}
		prev = hashLine([]byte(line))
		out = append(append(out, line...), '\n')
	}
	return string(out)
}

// Somebody who owns the file, and not the key, cannot sign.
func TestVerifierFindsNewHashes(t *testing.T) {
	text := written(t, "A", "B", "C")
	forged := rehashed(strings.Replace(text, `"eventName":"B"`, `"eventName":"X"`, 1))
	report := verify(t, verifier(), forged)
	if len(report.Problems) != 1 || report.Problems[0].Line != 4 {
		t.Errorf("%v", report.Problems)
	}
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize))
	public := other.Public().(ed25519.PublicKey)
	v := &Verifier{Keys: map[string]ed25519.PublicKey{KeyID(public): public}}
	if report := verify(t, v, text); len(report.Problems) == 0 {
		t.Error("the signature of a stranger counts")
	}
	// Without a key the hashes alone are compared.
	if report := verify(t, &Verifier{}, forged); len(report.Problems) != 0 {
		t.Errorf("%v", report.Problems)
	}
}

// A trail that was true once is found by its head, and by the lack of
// checkpoints.
func TestVerifierFindsOldTrail(t *testing.T) {
	text := written(t, "A", "B", "C")
	head := mustBeWhole(t, text).Chains[0].Head
	lines := strings.SplitAfter(text, "\n")
	old := strings.Join(lines[:2], "")
	mustBeWhole(t, old) // nothing in it tells
	v := verifier()
	v.Expect = []Head{head}
	if report := verify(t, v, old); len(report.Problems) != 1 || report.Problems[0].Line != 2 {
		t.Errorf("%v", report.Problems)
	}
	v = verifier()
	v.Expect = []Head{{head.Chain, 2, head.Hash}}
	if report := verify(t, v, text); len(report.Problems) != 1 {
		t.Errorf("another record in its place: %v", report.Problems)
	}
	v = verifier()
	v.Expect = []Head{head}
	if report := verify(t, v, written(t, "A", "B", "C", "D")); len(report.Problems) != 1 {
		t.Errorf("the trail of another node: %v", report.Problems)
	}
	var long strings.Builder
	tr := New(&long)
	tr.chain.begin()
	for range checkpointRecords + 200 {
		mustWrite(t, tr, Record{EventName: "A", EventTime: noon})
	}
	if report := verify(t, verifier(), long.String()); len(report.Problems) != 1 ||
		!strings.Contains(report.Problems[0].Text, "no checkpoint") {
		t.Errorf("%v", report.Problems)
	}
}

func TestChainGoesOnInNextFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	tr := openSigned(t, path)
	mustWrite(t, tr, Record{EventName: "A", EventTime: time.Now()})
	rename(t, path, path+".1")
	if err := tr.Reopen(); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, tr, Record{EventName: "B", EventTime: time.Now()})
	mustClose(t, tr)
	first, second := mustRead(t, path+".1"), mustRead(t, path)
	if report := mustBeWhole(t, first, second); len(report.Chains) != 1 || report.Records != 4 {
		t.Errorf("%+v", report)
	}
	mustBeWhole(t, second) // the files before may be kept elsewhere
	third := written(t, "C")
	for name, files := range map[string][]string{
		"order":   {second, first},
		"missing": {third, second},
		"twice":   {first, second, second},
		"end cut": {strings.SplitAfter(first, "\n")[0], second},
	} {
		if report := verify(t, verifier(), files...); len(report.Problems) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func TestChainGoesOnAfterRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	for range 3 {
		tr := openSigned(t, path)
		mustWrite(t, tr, Record{EventName: "A", EventTime: time.Now()})
		mustClose(t, tr)
	}
	if report := mustBeWhole(t, mustRead(t, path)); len(report.Chains) != 1 || report.Chains[0].Head.Seq != 6 {
		t.Errorf("%+v", report.Chains[0])
	}
	// The service was stopped while the file was rotated.
	rename(t, path, path+".1")
	tr := openSigned(t, path)
	mustWrite(t, tr, Record{EventName: "B", EventTime: time.Now()})
	mustClose(t, tr)
	first, second := mustRead(t, path+".1"), mustRead(t, path)
	mustBeWhole(t, first, second)
	cut := strings.Join(strings.SplitAfter(first, "\n")[:4], "")
	if report := verify(t, verifier(), cut, second); len(report.Problems) != 1 {
		t.Errorf("the end of the file before is missing: %v", report.Problems)
	}
}

func TestChainGoesOnAfterCrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	tr := openSigned(t, path)
	mustWrite(t, tr, Record{EventName: "A", EventTime: time.Now()})
	mustAppend(t, path, `{"eventVersion":"1.11","userIde`)
	again := openSigned(t, path)
	mustWrite(t, again, Record{EventName: "B", EventTime: time.Now()})
	mustClose(t, again)
	text := mustRead(t, path)
	report := mustBeWhole(t, text)
	if len(report.Chains) != 1 || !strings.Contains(fmt.Sprint(report.Notes), "a write was cut") {
		t.Errorf("%+v", report)
	}
	for name, changed := range map[string]string{
		"more":    strings.Replace(text, `"1.11","userIde`+"\n", `"1.11","userIdx`+"\n", 1),
		"no rest": strings.Replace(text, `{"eventVersion":"1.11","userIde`+"\n", "", 1),
	} {
		if report := verify(t, verifier(), changed); len(report.Problems) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
}

func mustAppend(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// The service notices at its next record that its file was cut or added to.
func TestWriterNoticesChanges(t *testing.T) {
	for name, change := range map[string]func(path string){
		"cut": func(path string) {
			text := mustRead(t, path)
			if err := os.Truncate(path, int64(strings.LastIndex(strings.TrimSuffix(text, "\n"), "\n")+1)); err != nil {
				t.Fatal(err)
			}
		},
		"emptied": func(path string) {
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
		},
		"added": func(path string) { mustAppend(t, path, "{\"eventName\":\"X\"}\n") },
		"an older one": func(path string) {
			old := written(t, "A")
			if err := os.WriteFile(path, []byte(old+old+old+old), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		path := filepath.Join(t.TempDir(), "trail.jsonl")
		tr := openSigned(t, path)
		for _, event := range []string{"A", "B", "C"} {
			mustWrite(t, tr, Record{EventName: event, EventTime: time.Now()})
		}
		change(path)
		mustWrite(t, tr, Record{EventName: "D", EventTime: time.Now()})
		mustClose(t, tr)
		report := verify(t, verifier(), mustRead(t, path))
		if !strings.Contains(fmt.Sprint(report.Problems), "had been changed behind it") {
			t.Errorf("%s: %v", name, report.Problems)
		}
	}
}

// Processes that write into one file make chains without a gap, even while it is
// rotated.
func TestChainOfSeveralProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	var wait sync.WaitGroup
	var mu sync.Mutex
	var files []string
	const each = 40
	for process := range 4 {
		wait.Go(func() {
			tr := openSigned(t, path)
			for i := range each {
				if err := tr.Write(&Record{EventName: fmt.Sprint(process, i), EventTime: time.Now()}); err != nil {
					t.Error(err)
				}
				mu.Lock()
				next := fmt.Sprintf("%s.%d", path, len(files))
				if i%7 == process && os.Rename(path, next) == nil {
					files = append(files, next)
				}
				mu.Unlock()
				if i%5 == 0 {
					if err := tr.Reopen(); err != nil {
						t.Error(err)
					}
				}
			}
			if err := tr.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	var texts []string
	for _, file := range append(files, path) {
		if text, err := os.ReadFile(file); err == nil {
			texts = append(texts, string(text))
		}
	}
	if report := mustBeWhole(t, texts...); report.Records < 4*each || len(texts) < 5 {
		t.Errorf("%d records in %d files", report.Records, len(texts))
	}
}

// A write waits while another process holds the lock of the file.
func TestWriteWaitsForTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	tr := openSigned(t, path)
	mustWrite(t, tr, Record{EventName: "A", EventTime: time.Now()})
	other, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	before, unlock := mustRead(t, path), lockFile(other)
	written := make(chan error, 1)
	go func() { written <- tr.Write(&Record{EventName: "B", EventTime: time.Now()}) }()
	for waiting := false; !waiting; time.Sleep(time.Millisecond) {
		select {
		case err := <-written:
			t.Fatalf("the record was written without the lock: %v", err)
		default:
			waiting = waitsForLock(t, other)
		}
	}
	if got := mustRead(t, path); got != before {
		t.Errorf("the file has changed: %s", got)
	}
	unlock()
	if err := <-written; err != nil {
		t.Error(err)
	}
	mustClose(t, tr)
	mustBeWhole(t, mustRead(t, path))
}

// waitsForLock reports whether somebody waits for the lock of a file.
func waitsForLock(t *testing.T, f *os.File) bool {
	t.Helper()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	inode := fmt.Sprintf(":%d ", info.Sys().(*syscall.Stat_t).Ino)
	for line := range strings.Lines(mustRead(t, "/proc/locks")) {
		if strings.Contains(line, " -> FLOCK ") && strings.Contains(line, inode) {
			return true
		}
	}
	return false
}

// A file that was rotated and then moved back is written on.
func TestRotatedFileIsMovedBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	tr := openSigned(t, path)
	mustWrite(t, tr, Record{EventName: "A", EventTime: time.Now()})
	rename(t, path, path+".1")
	if err := tr.Reopen(); err != nil {
		t.Fatal(err)
	}
	rename(t, path+".1", path)
	again := openSigned(t, path)
	mustWrite(t, again, Record{EventName: "B", EventTime: time.Now()})
	mustClose(t, again)
	mustWrite(t, tr, Record{EventName: "C", EventTime: time.Now()})
	mustClose(t, tr)
	if got := names(mustEvents(t, mustRead(t, path), 0)); !strings.Contains(got, "A TrailCheckpoint B") {
		t.Errorf("events %s", got)
	}
	mustBeWhole(t, mustRead(t, path))
}

func TestCheckpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flaky
		tr := New(&f)
		tr.SignWith(testSigner)
		tr.chain.begin()
		mustWrite(t, tr, Record{EventName: "A", EventTime: time.Now()})
		time.Sleep(checkpointTime + time.Second)
		synctest.Wait()
		if got := names(mustEvents(t, f.text.String(), 0)); got != "A TrailCheckpoint" {
			t.Errorf("after a minute: %s", got)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		for range checkpointRecords {
			mustWrite(t, tr, Record{EventName: "B", EventTime: time.Now()})
		}
		events := mustEvents(t, f.text.String(), 0)
		if n := len(events); n != 2+checkpointRecords+1 || events[n-1].EventName != checkpointEvent {
			t.Errorf("%d events", n)
		}
		mustClose(t, tr)
		report := mustBeWhole(t, f.text.String())
		if report.Chains[0].Unproven != 0 {
			t.Errorf("%+v", report.Chains[0])
		}
	})
}

// A failing sink neither breaks the chain nor leaves a gap in it.
func TestChainOverFailures(t *testing.T) {
	f := &flaky{}
	tr := New(f)
	tr.retryEvery = 0
	tr.SignWith(testSigner)
	tr.chain.begin()
	mustWrite(t, tr, Record{EventName: "A", EventTime: time.Now()})
	for room := range 700 {
		f.set(fmt.Errorf("full"), room)
		for range 3 {
			_ = tr.Write(&Record{EventName: "B", EventTime: time.Now()})
		}
		f.set(nil, 0)
		mustWrite(t, tr, Record{EventName: "C", EventTime: time.Now()})
	}
	mustClose(t, tr)
	report := mustBeWhole(t, f.text.String())
	if len(report.Chains) != 1 {
		t.Errorf("%d chains", len(report.Chains))
	}
}

// A record has its link once, where CloudTrail permits any member.
func TestLinkIsValid(t *testing.T) {
	hash := hashLine(nil)
	for name, rec := range map[string]*Record{"key": createAccessKey(), "user": getUser(), "all": everyField(),
		"empty": {}, "data": {AdditionalEventData: []byte(`{}`)}, "line": {Line: []byte(`{}`)}} {
		line := rec.AppendJSON(nil)
		if name == "line" {
			line = []byte(`{"a":1}`)
		}
		l := &Link{Chain: "c", Seq: 1 << 60, Prev: hash}
		linked := appendLinked(nil, line, l, nil)
		parsed, ok := parseLink(linked)
		if !ok || parsed.AdditionalEventData.Trail == nil || *parsed.AdditionalEventData.Trail != *l {
			t.Errorf("%s: %s", name, linked)
		}
		if n := len(linked) - len(line); n > maxPlainLink {
			t.Errorf("%s: the link takes %d bytes", name, n)
		}
		if n := bytes.Count(linked, []byte(`"additionalEventData"`)); n != 1 {
			t.Errorf("%s: %d times", name, n)
		}
	}
}

func FuzzVerify(f *testing.F) {
	var text bytes.Buffer
	tr := New(&text)
	tr.SignWith(testSigner)
	tr.chain.begin()
	for range 4 {
		if err := tr.Write(getUser()); err != nil {
			f.Fatal(err)
		}
	}
	if err := tr.Close(); err != nil {
		f.Fatal(err)
	}
	whole := text.Bytes()
	f.Add(whole, 10, byte('x'))
	f.Add([]byte("{}\n\n{"), 700, byte('\n'))
	f.Fuzz(func(t *testing.T, any []byte, at int, b byte) {
		verify(t, verifier(), string(any)) // it ends, whatever it reads
		changed := bytes.Clone(whole)
		if at = (at%len(changed) + len(changed)) % len(changed); changed[at] == b {
			return
		}
		changed[at] = b
		report := verify(t, verifier(), string(changed))
		if len(report.Problems) == 0 && report.Chains[0].Proven == 5 {
			t.Errorf("byte %d changed to %q: not found", at, b)
		}
	})
}

// BenchmarkWrite writes records of 1 KB into a file, with the chain and without.
func BenchmarkWrite(b *testing.B) {
	for _, chained := range []bool{false, true} {
		b.Run(fmt.Sprintf("chained=%v", chained), func(b *testing.B) {
			tr, err := Open(filepath.Join(b.TempDir(), "trail.jsonl"))
			if err != nil {
				b.Fatal(err)
			}
			if tr.chain.on = chained; chained {
				tr.SignWith(testSigner)
			}
			rec := createAccessKey()
			before := cpuTime()
			for b.Loop() {
				if err := tr.Write(rec); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
			mustClose(b, tr)
		})
	}
}

// cpuTime returns the processor time of this process.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A file may be moved away before its first record is written, so a record may
// follow one in a later file.
func TestFollowsALaterFile(t *testing.T) {
	write := func(path string) string {
		tr := openSigned(t, path)
		mustWrite(t, tr, Record{EventName: "A", EventTime: time.Now()})
		mustClose(t, tr)
		return mustRead(t, path)
	}
	first := write(filepath.Join(t.TempDir(), "trail.jsonl"))
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	later := write(path)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	follower := write(path)
	mustBeWhole(t, first, follower, later)
	report := verify(t, verifier(), first, follower)
	if len(report.Problems) != 1 || !strings.Contains(report.Problems[0].Text, "which continues here, is in none") {
		t.Errorf("without the later file: %v", report.Problems)
	}
}

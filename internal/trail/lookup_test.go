package trail

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The calls of these tests are one minute apart.
var lookupStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func callOf(n int, account, id string) *Record {
	return &Record{
		EventTime: lookupStart.Add(time.Duration(n) * time.Minute), EventSource: "iam.amazonaws.com",
		EventName: fmt.Sprintf("Call%d", n), SourceIPAddress: "192.0.2.1", UserAgent: `<b>"x"`, ErrorCode: "AccessDenied",
		UserIdentity: Identity{Type: IAMUser, PrincipalID: id, AccountID: account, AccessKeyID: "AKIA1"},
		FromConsole:  n%2 == 0, ReadOnly: true,
	}
}

// lookedUp returns the names of a user's calls in a trail.
func lookedUp(t *testing.T, tr *Trail, q Query) (string, Found) {
	t.Helper()
	q.Account, q.PrincipalID = "123456789012", "AIDAME"
	tr.LookupTime = time.Minute // also on a machine that has other work
	found, err := tr.Lookup(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range found.Events {
		all = append(all, strings.TrimPrefix(e.EventName, "Call"))
	}
	return strings.Join(all, " "), found
}

// Lookup finds the records of one user in one account, the newest first. It
// ignores incomplete lines and those of others.
func TestLookup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	tr := mustOpen(t, path)
	write := func(n int, account, id string) { mustWrite(t, tr, *callOf(n, account, id)) }
	write(1, "123456789012", "AIDAME")
	write(2, "210987654321", "AIDAME")
	write(3, "123456789012", "AIDAOTHER")
	issued := callOf(4, "123456789012", "AROA:session")
	issued.UserIdentity.SessionContext = &SessionContext{Issuer: &SessionIssuer{PrincipalID: "AIDAME"}}
	mustWrite(t, tr, *issued)
	named := callOf(5, "123456789012", "AIDAOTHER")
	named.UserAgent = `"principalId":"AIDAME"`
	named.RequestParameters = []byte(`{"userIdentity":{"principalId":"AIDAME","accountId":"123456789012"}}`)
	mustWrite(t, tr, *named)
	write(6, "123456789012", "AIDAME")
	write(7, "123456789012", "AIDAME")
	line := string(callOf(8, "123456789012", "AIDAME").AppendJSON(nil))
	for _, broken := range []string{line[:len(line)-1] + "\n", line[1:] + "\n", "\n\n", line} {
		if _, err := tr.sink.Write([]byte(broken)); err != nil {
			t.Fatal(err)
		}
	}
	got, found := lookedUp(t, tr, Query{Most: 20})
	if got != "7 6 1" || !found.All || !found.Since.Equal(lookupStart.Add(time.Minute)) {
		t.Errorf("found %s, since %v, all %v", got, found.Since, found.All)
	}
	want := Event{
		EventTime: lookupStart.Add(6 * time.Minute), EventSource: "iam.amazonaws.com", EventName: "Call6",
		ErrorCode: "AccessDenied", SourceIPAddress: "192.0.2.1", UserAgent: `<b>"x"`, ReadOnly: true,
		UserIdentity: EventIdentity{
			Type: IAMUser, PrincipalID: "AIDAME", AccountID: "123456789012", AccessKeyID: "AKIA1",
		},
		SessionCredentialFromConsole: "true",
	}
	if found.Events[1] != want || found.Events[0].SessionCredentialFromConsole != "" {
		t.Errorf("%+v\nwant %+v", found.Events[1], want)
	}
	if got, found := lookedUp(t, tr, Query{Most: 2}); got != "7 6" || found.All {
		t.Errorf("found %s, all %v", got, found.All)
	}
}

// What a page of the console only read is left out on request. What it changed is
// not, nor is a call that only quotes the members of such a record.
func TestLookupWithoutPageReads(t *testing.T) {
	tr := mustOpen(t, filepath.Join(t.TempDir(), "trail.jsonl"))
	for n := range 4 {
		mustWrite(t, tr, *callOf(n, "123456789012", "AIDAME"))
	}
	change := callOf(4, "123456789012", "AIDAME")
	change.ReadOnly = false
	mustWrite(t, tr, *change)
	quotes := callOf(5, "123456789012", "AIDAME")
	quotes.UserAgent = `,"readOnly":true,"sessionCredentialFromConsole":"true"`
	mustWrite(t, tr, *quotes)
	if got, _ := lookedUp(t, tr, Query{Most: 20, NoPageReads: true}); got != "5 4 3 1" {
		t.Errorf("found %s", got)
	}
	if got, _ := lookedUp(t, tr, Query{Most: 20}); got != "5 4 3 2 1 0" {
		t.Errorf("found %s", got)
	}
}

// Blocks end anywhere within lines. A line that is longer than any record hides
// only itself.
func TestLookupAcrossBlocks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	tr := mustOpen(t, path)
	want := ""
	for n := range 40 {
		mine := callOf(n, "123456789012", "AIDAME")
		mustWrite(t, tr, *mine)
		want = strings.TrimSpace(fmt.Sprint(n, " ", want))
		long := strings.Repeat(`{"principalId":"AIDAME"`, n*n*10) + "\n" // up to 350 KB
		if _, err := tr.sink.Write([]byte(long)); err != nil {
			t.Fatal(err)
		}
	}
	if got, found := lookedUp(t, tr, Query{Most: 100}); got != want || !found.All {
		t.Errorf("found %s\nwant %s", got, want)
	}
}

// Only the end of a large trail is read, and the result says how far back.
func TestLookupIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	tr := mustOpen(t, path)
	mustWrite(t, tr, *callOf(1, "123456789012", "AIDAME"))
	other := append(callOf(2, "123456789012", "AIDAOTHER").AppendJSON(nil), '\n')
	if _, err := tr.sink.Write([]byte(strings.Repeat(string(other), lookupBytes/len(other)+1))); err != nil {
		t.Fatal(err)
	}
	if got, found := lookedUp(t, tr, Query{Most: 20}); got != "" || found.All ||
		!found.Since.Equal(lookupStart.Add(2*time.Minute)) {
		t.Errorf("found %q since %v, all %v", got, found.Since, found.All)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if found, err := tr.Lookup(ctx, Query{Most: 1}); err == nil && (found.All || !found.Since.IsZero()) {
		t.Errorf("read on for somebody who left: %+v", found)
	}
	// Only a few lookups read at the same time.
	for range lookupsAtOnce {
		tr.lookups <- struct{}{}
	}
	tr.LookupTime = time.Millisecond
	if _, err := tr.Lookup(t.Context(), Query{Most: 1}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// The search continues in the rotated file.
func TestLookupAfterRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	tr := mustOpen(t, path)
	mustWrite(t, tr, *callOf(1, "123456789012", "AIDAME"))
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := tr.Reopen(); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, tr, *callOf(2, "123456789012", "AIDAME"))
	if got, found := lookedUp(t, tr, Query{Most: 20}); got != "2 1" || !found.All {
		t.Errorf("found %s", got)
	}
	if err := os.Remove(path + ".1"); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path+".1", 0o600); err != nil {
		t.Fatal(err)
	}
	if got, found := lookedUp(t, tr, Query{Most: 20}); got != "2" || found.All {
		t.Errorf("found %s, all %v", got, found.All)
	}
}

// A lookup ends when its time is over, and says that it did not read everything.
func TestLookupEnds(t *testing.T) {
	tr := mustOpen(t, filepath.Join(t.TempDir(), "trail.jsonl"))
	mustWrite(t, tr, *callOf(1, "123456789012", "AIDAME"))
	tr.LookupTime = time.Nanosecond
	for range 20 {
		found, err := tr.Lookup(t.Context(), Query{Account: "123456789012", PrincipalID: "AIDAME", Most: 20})
		if len(found.Events) > 0 || found.All || err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("found %+v, %v", found, err)
		}
	}
}

// Only regular files are read.
func TestLookupOfNoFile(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	gone := filepath.Join(t.TempDir(), "gone")
	trails := map[string]*Trail{
		"none": nil, "off": mustOpen(t, "off"), "writer": New(&strings.Builder{}), "pipe": mustOpen(t, pipe),
		"gone": mustOpen(t, gone),
	}
	mustWrite(t, trails["pipe"], *callOf(1, "123456789012", "AIDAME"))
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	for name, tr := range trails {
		if _, err := tr.Lookup(t.Context(), Query{Most: 1}); !errors.Is(err, ErrUnreadable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var text [4096]byte
	if n, err := reader.Read(text[:]); err != nil || !strings.HasSuffix(string(text[:n]), "}\n") {
		t.Errorf("the pipe has lost its record: %d, %v", n, err)
	}
}

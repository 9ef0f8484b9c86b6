package trail

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// hostile fills every text of a record with the bytes that grow most when they
// are escaped.
func hostile(stranger bool) *Record {
	x := strings.Repeat("\xff\"\x00\u2028", 3000)
	return &Record{
		Stranger: stranger,
		UserIdentity: Identity{
			Type: x, PrincipalID: x, ARN: x, AccountID: x, AccessKeyID: x, UserName: x, InvokedBy: x,
			IdentityProvider: x,
			SessionContext:   &SessionContext{Issuer: &SessionIssuer{x, x, x, x, x}, SourceIdentity: x},
		},
		EventSource: x, EventName: x, AWSRegion: x, SourceIPAddress: x, UserAgent: x, ErrorCode: x, ErrorMessage: x,
		RequestParameters: json.RawMessage(`"` + strings.Repeat("x", 300<<10) + `"`),
		ResponseElements:  json.RawMessage(`{}`),
		RequestID:         x, EventID: x, EventType: x, RecipientAccountID: x, Resources: []Resource{{x, x, x}},
		TLS: &TLSDetails{x, x, x},
	}
}

func TestRecordIsBounded(t *testing.T) {
	known := hostile(false).AppendJSON([]byte("before"))
	const without = `"requestParameters":{"omitted":true},"responseElements":{}`
	if len(known) > maxRecord || !json.Valid(known[len("before"):]) || !bytes.Contains(known, []byte(without)) {
		t.Errorf("%d bytes", len(known))
	}
	// A request can only fill these: an unauthenticated caller has no session
	// and no names.
	r := hostile(true)
	x, id := r.UserAgent, strings.Repeat("x", 36)
	r.UserIdentity = Identity{Type: WebIdentityUser, PrincipalID: x, UserName: x, IdentityProvider: x, AccessKeyID: x}
	r.EventSource, r.AWSRegion, r.EventName = "sts.amazonaws.com", "us-east-1", "AssumeRoleWithWebIdentity"
	r.RequestID, r.EventID = id, id
	r.EventType, r.RecipientAccountID = "", "123456789012"
	line := append(r.AppendJSON(nil), '\n')
	if len(line) > maxStranger || !json.Valid(line) {
		t.Errorf("a stranger's line has %d bytes: %s", len(line), line)
	}
}

// A text is cut if its escaped form is too long, whatever it contains.
func TestTextIsCutAfterEscaping(t *testing.T) {
	for _, unit := range []string{"x", "\xff", "\"", "\\", "\n", "\x00", "ä", "\u0085", "\u2028", "😀", "\xf0\x9f"} {
		for most := range 40 {
			got := appendString(nil, strings.Repeat(unit, 20), most)
			if len(got) > most+2 || len(got) < min(most-6, 20)+2 || !json.Valid(got) {
				t.Errorf("%q within %d: %s", unit, most, got)
			}
		}
	}
}

// A flood of refused calls writes a limited trail, and every one of them is
// counted.
func TestStrangersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flaky{}
		tr := New(f)
		start := time.Now()
		const calls, addresses = 100_000, 300
		for i := range calls {
			r := Record{EventName: "Unknown", Stranger: true, ReadOnly: true, ErrorCode: fmt.Sprintf("Code%d", i%30),
				SourceIPAddress: fmt.Sprintf("192.0.2.%d", i%addresses), UserAgent: strings.Repeat("\xff", 1024)}
			mustWrite(t, tr, r)
			if i%10_000 == 9_999 {
				time.Sleep(2 * time.Second)
			}
		}
		mustWrite(t, tr, Record{EventName: "Known"})
		if err := tr.Close(); err != nil {
			t.Fatal(err)
		}
		took := time.Since(start)
		if rate := float64(f.text.Len()) / took.Seconds(); rate > 1<<20 {
			t.Errorf("%.0f bytes a second", rate)
		}
		written, counted, known := 0, 0, 0
		for line := range strings.Lines(f.text.String()) {
			if len(line) > maxStranger {
				t.Errorf("a line of %d bytes", len(line))
			}
			var e struct {
				EventName           string
				AdditionalEventData struct {
					Calls, Addresses int
					ErrorCodes       map[string]int
					MostFrom         []struct{ SourceIPAddress string }
				}
			}
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatal(err)
			}
			switch e.EventName {
			case "Unknown":
				written++
			case "Known":
				known++
			case "RefusalsOmitted":
				d := e.AdditionalEventData
				counted += d.Calls
				codes := 0
				for _, n := range d.ErrorCodes {
					codes += n
				}
				if codes != d.Calls || d.Addresses != addresses || len(d.MostFrom) != maxNamed ||
					len(d.ErrorCodes) > maxCodes+1 {
					t.Errorf("%+v", d)
				}
			}
		}
		if written+counted != calls || known != 1 || written > 200*int(took.Seconds()+2) {
			t.Errorf("%d written and %d counted of %d calls, %d of a known caller", written, counted, calls, known)
		}
	})
}

func TestOneStrangerLeavesRoomForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flaky{}
		tr := New(f)
		for range 1000 {
			mustWrite(t, tr, Record{EventName: "Flood", Stranger: true, SourceIPAddress: "192.0.2.1"})
		}
		mustWrite(t, tr, Record{EventName: "Other", Stranger: true, SourceIPAddress: "192.0.2.2"})
		time.Sleep(summaryEvery + time.Second) // reported without another call
		synctest.Wait()
		events := mustEvents(t, f.text.String(), 0)
		if n := len(events); n != 22 || events[20].EventName != "Other" || events[21].EventName != "RefusalsOmitted" {
			t.Errorf("%d events: %s", n, names(events))
		}
		// It is kept if it cannot be written, as the record of a change is.
		f.set(fmt.Errorf("full"), 0)
		for range 1000 {
			_ = tr.Write(&Record{EventName: "Flood", Stranger: true, SourceIPAddress: "192.0.2.1"})
		}
		time.Sleep(summaryEvery + time.Second)
		f.set(nil, 0)
		if err := tr.Probe(); err != nil {
			t.Fatal(err)
		}
		if got := names(mustEvents(t, f.text.String(), 0)[22:]); !strings.HasSuffix(got, "RefusalsOmitted") {
			t.Errorf("events %s", got)
		}
	})
}

package e2etest

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"rollcall/internal/sigv4/sigv4test"
	"rollcall/internal/wireclient"
)

// Load is callers of several accounts, each with a connection of its own. They
// send bytes that are signed beforehand, and so cost less than the service.
type Load struct {
	Node        *Process
	Accounts    []Account
	Connections int
	// Rate is the number of calls per second of all connections together. If it
	// is 0, each connection sends its next call after the last answer.
	Rate float64
	// AtOnce is the number of calls that a connection sends without waiting for
	// answers; 0 means one.
	AtOnce int
	// Calls are sent in turn; without them, calls of every kind are.
	Calls []Call
}

// Call is a call of a Load: a service and the form that it gets.
type Call struct{ Service, Form string }

// Outcome describes the answers to the calls of a Load.
type Outcome struct {
	Took      time.Duration
	Succeeded int
	// Refused counts answers by their error code, and Broken calls without one.
	Refused map[string]int
	Broken  map[string]int
	// due counts the calls by their time from when they were due, and sent by that
	// from when they were sent, which was later if the service was late.
	due, sent histogram
}

// histogram counts by the logarithm of a time.
type histogram [400]int

func (h *histogram) note(took time.Duration) {
	at := int(math.Log(float64(max(took, least))/float64(least)) / math.Log(step))
	h[min(at, len(h)-1)]++
}

func (h *histogram) add(other histogram) {
	for i, n := range other {
		h[i] += n
	}
}

// within returns the time within which a share of the calls were answered, with
// an error of 5%.
func (h *histogram) within(share float64) time.Duration {
	total, seen := 0, 0
	for _, n := range h {
		total += n
	}
	for i, n := range h {
		if seen += n; float64(seen) >= share*float64(total) {
			return time.Duration(float64(least) * math.Pow(step, float64(i+1))).Round(10 * time.Microsecond)
		}
	}
	return 0
}

// LoadUser is a user that each account of a Load must have.
const LoadUser = "load"

// calls are the forms of a caller's calls, in turn: one in eight is a change.
func calls() []Call {
	user := LoadUser
	var all []Call
	for i := range 16 {
		switch {
		case i%8 == 7:
			all = append(all, Call{"iam", "Action=TagUser&Version=2010-05-08&UserName=" + user +
				fmt.Sprintf("&Tags.member.1.Key=k&Tags.member.1.Value=v%d", i)})
		case i%2 == 0:
			all = append(all, Call{"iam", "Action=GetUser&Version=2010-05-08&UserName=" + user})
		default:
			all = append(all, Call{"sts", "Action=GetCallerIdentity&Version=2011-06-15"})
		}
	}
	return all
}

// Run sends calls until the context ends.
func (l Load) Run(ctx context.Context) *Outcome {
	began := time.Now()
	outcomes := make([]*Outcome, l.Connections)
	var all sync.WaitGroup
	for i := range outcomes {
		outcomes[i] = newOutcome()
		all.Go(func() { l.connection(ctx, i, outcomes[i]) })
	}
	all.Wait()
	sum := newOutcome()
	sum.Took = time.Since(began)
	for _, o := range outcomes {
		sum.add(o)
	}
	return sum
}

// signedFor is the time for which the same signed bytes are sent.
const signedFor = time.Minute

func (l Load) connection(ctx context.Context, i int, o *Outcome) {
	a := l.Accounts[i%len(l.Accounts)]
	c := &wireclient.Client{Addr: strings.TrimPrefix(l.Node.URL, "http://")}
	defer c.Close()
	k := sigv4test.Credentials{AccessKeyID: a.AccessKeyID, SecretAccessKey: a.SecretAccessKey,
		SessionToken: a.SessionToken}
	kinds := l.Calls
	if len(kinds) == 0 {
		kinds = calls()
	}
	var every time.Duration
	if l.Rate > 0 {
		every = time.Duration(float64(time.Second) * float64(l.Connections) / l.Rate)
	}
	next := time.Now().Add(every * time.Duration(i) / time.Duration(l.Connections))
	var requests [][]byte
	var signed time.Time
	for n := 0; ctx.Err() == nil; n++ {
		if time.Since(signed) > signedFor {
			requests, signed = nil, time.Now()
			for _, call := range kinds {
				requests = append(requests, wireclient.Request(c.Addr, k, call.Service, call.Form))
			}
		}
		if every > 0 {
			select {
			case <-time.After(time.Until(next)):
			case <-ctx.Done():
				return
			}
		} else {
			next = time.Now()
		}
		l.send(c, requests, n, next, o)
		next = next.Add(every * time.Duration(max(1, l.AtOnce)))
	}
}

// send sends calls and reads their answers.
func (l Load) send(c *wireclient.Client, requests [][]byte, n int, due time.Time, o *Outcome) {
	atOnce := max(1, l.AtOnce)
	var all []byte
	for i := range atOnce {
		all = append(all, requests[(n*atOnce+i)%len(requests)]...)
	}
	sent := time.Now()
	if err := c.Send(all); err != nil {
		o.Broken[err.Error()] += atOnce
		return
	}
	for i := range atOnce {
		var body bytes.Buffer
		status, _, err := c.Receive(&body)
		if err != nil {
			o.Broken[err.Error()] += atOnce - i
			c.Close()
			return
		}
		o.due.note(time.Since(due))
		o.sent.note(time.Since(sent))
		o.note(status, body.Bytes())
	}
}

func newOutcome() *Outcome { return &Outcome{Refused: map[string]int{}, Broken: map[string]int{}} }

// step is the relation of two neighbours in the table of latencies, the first of
// which is least.
const (
	step  = 1.05
	least = 20 * time.Microsecond
)

func (o *Outcome) note(status int, body []byte) {
	if status == 200 {
		o.Succeeded++
		return
	}
	var said struct {
		Code string `xml:"Error>Code"`
	}
	if err := xml.Unmarshal(body, &said); err != nil || said.Code == "" {
		said.Code = fmt.Sprintf("status %d", status)
	}
	o.Refused[said.Code]++
}

func (o *Outcome) add(other *Outcome) {
	o.Succeeded += other.Succeeded
	for code, n := range other.Refused {
		o.Refused[code] += n
	}
	for why, n := range other.Broken {
		o.Broken[why] += n
	}
	o.due.add(other.due)
	o.sent.add(other.sent)
}

// Rate returns the number of calls per second that succeeded.
func (o *Outcome) Rate() float64 { return float64(o.Succeeded) / o.Took.Seconds() }

func (o *Outcome) String() string {
	text := fmt.Sprintf("%.0f calls/s succeeded in %v; answered after they were sent: half within %v, 99%% within %v; "+
		"after they were due: half within %v, 99%% within %v", o.Rate(), o.Took.Round(time.Second/10),
		o.sent.within(0.5), o.sent.within(0.99), o.due.within(0.5), o.due.within(0.99))
	for _, counts := range []map[string]int{o.Refused, o.Broken} {
		for _, name := range slices.Sorted(maps.Keys(counts)) {
			text += fmt.Sprintf("; %d × %s", counts[name], name)
		}
	}
	return text
}

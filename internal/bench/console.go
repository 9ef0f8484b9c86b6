package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"rollcall/internal/trail"
)

const (
	// consoleUsers counts the users of the account whose pages are measured.
	consoleUsers = 100_000
	// linksPerPath limits the addresses of one page that are measured: the page of a
	// user is the same for all.
	linksPerPath = 8
	consoleLimit = 200 * time.Millisecond
	consoleBytes = 150 << 10
)

// console measures every page of the console that links lead to, signed in as a
// user who may do everything, in an account with many users, two reports and a
// long trail.
func (b *bench) console(ctx context.Context) error {
	r, err := b.seeded(ctx, "console", consoleUsers, "")
	if err != nil {
		return err
	}
	defer os.RemoveAll(r.dir)
	if err := fillTrail(filepath.Join(r.dir, "trail.jsonl")); err != nil {
		return err
	}
	p, err := r.serve("--report-max-age", "1s", "--report-history", "5")
	if err != nil {
		return err
	}
	defer p.stop()
	v, err := newVisitor(ctx, p.target)
	if err != nil {
		return err
	}
	for range 2 {
		if _, err := made(p.target); err != nil {
			return err
		}
		time.Sleep(1100 * time.Millisecond) // the next run must not find this report recent enough
	}
	return b.visit(v)
}

// visit measures the pages, starting with the first.
func (b *bench) visit(v *visitor) error {
	var slowest, largest, first viewed
	paths, count := map[string]int{}, 0
	todo := []string{"/console/overview"}
	for seen := (map[string]bool{}); len(todo) > 0; count++ {
		at := todo[0]
		todo = todo[1:]
		path, _, _ := strings.Cut(at, "?")
		if seen[at] || paths[path] >= linksPerPath {
			count--
			continue
		}
		seen[at], paths[path] = true, paths[path]+1
		once, usual, err := v.view(at, b.runs)
		if err != nil {
			return err
		}
		if once.took > first.took {
			first = once
		}
		if usual.took > slowest.took {
			slowest = usual
		}
		if usual.size > largest.size {
			largest = usual
		}
		todo = append(todo, usual.links...)
	}
	if len(paths) < 10 {
		return fmt.Errorf("only %d pages were found", len(paths))
	}
	of := fmt.Sprintf("console, %d users: %d addresses of %d pages", consoleUsers, count, len(paths))
	time := func(w viewed) string { return fmt.Sprintf("%d ms (%s)", w.took.Milliseconds(), w.at) }
	b.row("console", of+": slowest", time(slowest), "200 ms", slowest.took <= consoleLimit)
	b.row("console", of+": slowest first view", time(first), "", true)
	b.row("console", of+": largest", fmt.Sprintf("%d KB (%s)", largest.size/1000, largest.at), "150 KiB",
		largest.size <= consoleBytes)
	return nil
}

// fillTrail writes the records of a busy service: more than any page reads.
func fillTrail(path string) error {
	t, err := trail.Open(path)
	if err != nil {
		return err
	}
	for range 20_000 {
		err = errors.Join(err, t.Write(&trail.Record{
			EventTime: time.Now(), EventSource: "iam.amazonaws.com", EventName: "GetUser", SourceIPAddress: "192.0.2.1",
			UserAgent: strings.Repeat("aws-cli/2 ", 20), RequestID: strings.Repeat("0", 36), ReadOnly: true,
			UserIdentity: trail.Identity{Type: trail.IAMUser, AccountID: account, PrincipalID: "AIDAEXAMPLE"},
		}))
	}
	return errors.Join(err, t.Close())
}

// visitor is a browser without a screen.
type visitor struct {
	url    string
	client *http.Client
}

// viewed is a received page.
type viewed struct {
	at    string
	took  time.Duration
	size  int
	links []string
}

// newVisitor creates a user with a password, and signs it in.
func newVisitor(ctx context.Context, t target) (*visitor, error) {
	const name, password = "visitor", "correct Horse 7 battery"
	for _, form := range []url.Values{
		{"Action": {"CreateUser"}, "UserName": {name}},
		{"Action": {"CreateLoginProfile"}, "UserName": {name}, "Password": {password}},
		{"Action": {"AttachUserPolicy"}, "UserName": {name}, "PolicyArn": {"arn:aws:iam::aws:policy/AdministratorAccess"}},
	} {
		form.Set("Version", "2010-05-08")
		if _, err := t.call("iam", form.Encode()); err != nil {
			return nil, err
		}
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	v := &visitor{"http://" + t.addr, &http.Client{Jar: jar, Timeout: time.Minute}}
	form := url.Values{"do": {"sign-in"}, "account": {account}, "user": {name}, "password": {password}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, v.url+"/console/sign-in", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", v.url)
	answer, err := v.client.Do(r)
	if err != nil {
		return nil, err
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.Request.URL.Path == "/console/sign-in" {
		return nil, fmt.Errorf("sign in: %s at %s", answer.Status, answer.Request.URL)
	}
	return v, nil
}

// view requests a page once, and then several times when its content has been
// computed.
func (v *visitor) view(at string, runs int) (first, usual viewed, err error) {
	first, later, err := v.get(at)
	for start := time.Now(); err == nil && later; {
		if time.Since(start) > time.Minute {
			return first, usual, fmt.Errorf("%s never appears", at)
		}
		time.Sleep(100 * time.Millisecond)
		_, later, err = v.get(at)
	}
	var all []time.Duration
	for range runs {
		if err != nil {
			return first, usual, err
		}
		usual, _, err = v.get(at)
		all = append(all, usual.took)
	}
	usual.took = median(all)
	return first, usual, err
}

var links = regexp.MustCompile(`href="(/console/[^"#]*)["#]`)

// get requests an address. Downloads are not pages, and are not read.
func (v *visitor) get(at string) (got viewed, later bool, err error) {
	start := time.Now()
	answer, err := v.client.Get(v.url + at)
	if err != nil {
		return got, false, err
	}
	defer answer.Body.Close()
	got.at = at
	if answer.Header.Get("Content-Disposition") != "" {
		return got, false, nil
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return got, false, err
	}
	got.took, got.size = time.Since(start), len(body)
	if answer.StatusCode != http.StatusOK {
		return got, false, fmt.Errorf("%s: %s", at, answer.Status)
	}
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
		for _, found := range links.FindAllStringSubmatch(string(body), -1) {
			if link := html.UnescapeString(found[1]); !strings.HasPrefix(link, "/console/assets/") {
				got.links = append(got.links, link)
			}
		}
	}
	return got, answer.Header.Get("Refresh") != "", nil
}

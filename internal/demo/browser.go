package demo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// Browser signs a user in to the console through its forms, as a browser does.
type Browser struct {
	url    string
	client *http.Client
}

// NewBrowser returns a browser for the console at a URL.
func NewBrowser(at string) (*Browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &Browser{at, &http.Client{Jar: jar}}, nil
}

// Send sends a form to a page and returns the path of the page that follows.
func (s *Browser) Send(ctx context.Context, page string, fields ...string) (path string, err error) {
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+page, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", s.url)
	answer, err := s.client.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return "", err
	}
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("console page %s: %s", page, answer.Status)
	}
	return answer.Request.URL.Path, nil
}

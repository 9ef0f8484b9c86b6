package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"rollcall/internal/sigv4/sigv4test"
	"rollcall/internal/wireclient"
)

// target is a server under load.
type target struct {
	addr        string
	credentials sigv4test.Credentials
}

func (t target) request(service, form string) []byte {
	return wireclient.Request(t.addr, t.credentials, service, form)
}

type client = wireclient.Client

// call returns one request that must succeed.
func (t target) call(service, form string) (string, error) {
	c := &client{Addr: t.addr}
	defer c.Close()
	var body bytes.Buffer
	status, _, err := c.Do(t.request(service, form), &body)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", status, body.String())
	}
	return body.String(), err
}

// rate runs step in a number of clients for a time, and returns the number of
// steps per second.
func (t target) rate(clients int, d time.Duration, step func(c *client, worker, i int) error) (float64, error) {
	var wait sync.WaitGroup
	counts := make([]int, clients)
	errs := make([]error, clients)
	start := time.Now()
	for w := range clients {
		wait.Go(func() {
			c := &client{Addr: t.addr}
			defer c.Close()
			for time.Since(start) < d && errs[w] == nil {
				errs[w] = step(c, w, counts[w])
				counts[w]++
			}
		})
	}
	wait.Wait()
	took := time.Since(start).Seconds()
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / took, errors.Join(errs...)
}

// want returns an error for an answer that is not 200.
func want(status int, _ int64, err error) error {
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d", status)
	}
	return err
}

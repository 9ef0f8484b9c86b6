package doctor

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// answerTime bounds the time for each question to a running service.
const answerTime = 3 * time.Second

// live has figures of a running service.
type live struct {
	descriptors, open int64
}

// service checks that the addresses are free, or that a service answers there
// and is ready.
func (x *examination) service(ctx context.Context) {
	const check = "service"
	if x.free(check, "listen", x.Listen) {
		if x.Admin != "off" && !x.free(check, "admin-listen", x.Admin) {
			x.taken(check, "admin-listen", x.Admin)
		}
		return
	}
	if !x.speaks(ctx) {
		x.taken(check, "listen", x.Listen)
		return
	}
	if x.Admin == "off" {
		x.warn(check, "a service answers on "+x.Listen+"; whether it is ready is unknown, because --admin-listen is off",
			"give it an address of the admin listener")
		return
	}
	x.ready(ctx, check)
}

// ready asks a running service whether it is ready.
func (x *examination) ready(ctx context.Context, check string) {
	status, text, err := ask(ctx, "http://"+x.Admin+"/readyz")
	switch {
	case err != nil:
		x.fault(check, "a service answers on "+x.Listen+", and nothing on "+x.Admin+": "+reason(err),
			"give the address of its admin listener with --admin-listen")
		return
	case status != http.StatusOK:
		x.fault(check, "the service is not ready: "+failed(text), "the other lines and its log say more")
	default:
		x.ok(check, "it answers on "+x.Listen+", and is ready")
	}
	if status, text, err = ask(ctx, "http://"+x.Admin+"/metrics"); err == nil && status == http.StatusOK {
		x.live = &live{descriptors: figure(text, "process_max_fds"), open: figure(text, "process_open_fds")}
	}
}

// failed returns the lines of /readyz that do not say ok.
func failed(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasSuffix(line, ": ok") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}

// figure returns a metric without labels, 0 if it is missing.
func figure(text, name string) int64 {
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			n, err := strconv.ParseFloat(value, 64)
			if err == nil {
				return int64(n)
			}
		}
	}
	return 0
}

// reachable returns the address at which this machine reaches a listener.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// speaks reports whether the API answers at --listen: Rollcall refuses an
// unsigned request as AWS does.
func (x *examination) speaks(ctx context.Context) bool {
	scheme := "http://"
	if x.Certificate != "" {
		scheme = "https://"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet,
		scheme+reachable(x.Listen)+"/?Action=GetCallerIdentity&Version=2011-06-15", nil)
	if err != nil {
		return false
	}
	answer, err := client.Do(request)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	return answer.Header.Get("X-Amzn-Requestid") != ""
}

// client asks this machine's own listeners. It sends no secret, so it need not
// know who answers, and the certificate is for another name.
var client = &http.Client{Timeout: answerTime, Transport: &http.Transport{
	TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
	DisableKeepAlives: true,
}}

func ask(ctx context.Context, link string) (status int, text string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return 0, "", err
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return answer.StatusCode, string(body), err
}

// free opens an address for a moment. It returns false if somebody listens there.
func (x *examination) free(check, flag, addr string) bool {
	l, err := net.Listen("tcp", addr)
	do := "name an address such as 127.0.0.1:8585 with --" + flag
	switch {
	case err == nil:
		_ = l.Close()
		x.ok(check, "--"+flag+" "+addr+" is free; no service answers there")
		return true
	case errors.Is(err, syscall.EADDRINUSE):
		return false
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		do = "name an address of this machine with --" + flag
	case errors.Is(err, syscall.EACCES):
		do = "name a port above 1023 with --" + flag
	}
	x.fault(check, fmt.Sprintf("--%s %s: %s", flag, addr, reason(err)), do)
	return true
}

func (x *examination) taken(check, flag, addr string) {
	x.fault(check, "another program listens on "+addr, "stop it, or name another address with --"+flag)
}

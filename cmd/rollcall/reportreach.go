package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"rollcall/internal/fleet"
)

// reach says how to reach a service. Its flags are those of the AWS CLI.
type reach struct {
	p         *process
	settings  fleet.Settings
	noSession bool
	// asking is called before the user is asked for an MFA code. The returned
	// function is called afterwards. It may be nil.
	asking func() (asked func())
}

func (r *reach) add(f *pflag.FlagSet) {
	s := &r.settings
	f.StringVar(&s.Profile, "profile", "", "use this `profile` of the AWS configuration")
	f.StringVar(&s.Region, "region", "", "sign for this `region` (default "+fleet.DefaultRegion+
		" if none is configured)")
	f.StringVar(&s.Endpoint, "endpoint-url", "", "call the service at this `URL`, for IAM, STS and Organizations")
	f.StringVar(&s.CABundle, "ca-bundle", "", "verify TLS with the certificates in this `file`")
	f.BoolVar(&s.AllowHTTP, "allow-http", false, "allow plain HTTP to another machine")
	f.BoolVar(&r.noSession, "no-session-cache", false, "ask for each MFA code, and save no session that needed one")
}

// open opens the account. Its errors have an exit code.
func (r *reach) open(ctx context.Context) (*fleet.Account, error) {
	account, err := fleet.Open(ctx, r.with(ctx, r.settings.Profile))
	return account, reportError(err)
}

// with returns the settings for a profile.
func (r *reach) with(ctx context.Context, profile string) fleet.Settings {
	s := r.settings
	s.Profile = profile
	s.MFACode = func(serial string) (string, error) {
		if r.asking != nil {
			defer r.asking()()
		}
		return r.p.askCode(ctx, serial)
	}
	// A user without a home has no cache.
	if dir, err := os.UserCacheDir(); err == nil && !r.noSession {
		s.Sessions = filepath.Join(dir, "rollcall", "sessions")
	}
	return s
}

// reportError adds its exit code to an error of package fleet. An error of the
// service gets the words of the AWS CLI.
func reportError(err error) error {
	if text, ok := fleet.ServiceError(err); ok {
		return serviceError("\n%s", text)
	}
	return err
}

// askCode asks for the code of an MFA device on the terminal, even if standard
// input is a file.
func (p *process) askCode(ctx context.Context, serial string) (string, error) {
	tty := p.terminal()
	if tty == nil {
		var err error
		if tty, err = os.OpenFile("/dev/tty", os.O_RDWR, 0); err != nil {
			return "", fmt.Errorf("no terminal to ask for the code of %s: %w", serial, err)
		}
		defer tty.Close()
	}
	fd := int(tty.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("ask for the code of %s: %w", serial, err)
	}
	p.tell("Enter MFA code for %s: ", serial)
	defer p.tell("\n")
	type answer struct {
		code []byte
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		code, err := term.ReadPassword(fd)
		answers <- answer{code, err}
	}()
	select {
	case a := <-answers:
		return strings.TrimSpace(string(a.code)), a.err
	case <-ctx.Done():
		_ = term.Restore(fd, before)
		return "", ctx.Err()
	}
}

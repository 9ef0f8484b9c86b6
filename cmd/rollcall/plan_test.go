package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/rogpeppe/go-internal/testscript"

	"rollcall/internal/awscli"
	"rollcall/internal/identity"
	"rollcall/internal/service"
)

// TestPlanScripts runs sessions of 'rollcall plan', without a network and
// without credentials.
func TestPlanScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/plan",
		Setup: func(env *testscript.Env) error {
			world := refuseAll(env)
			env.Setenv("HTTP_PROXY", world)
			env.Setenv("HTTPS_PROXY", world)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"code": exitCode, "valid": valid,
			"mode": mode, "json": jsonValue},
	})
}

// TestPlanWithAWSCLI carries plans out: bash runs the script of 'rollcall plan'
// with this machine's AWS CLI against the real service at $ROLLCALL. The
// commands are forked from one Python process, see package awscli, unless a
// session uses $AWS_CLI instead.
func TestPlanWithAWSCLI(t *testing.T) {
	t.Parallel()
	cli, err := awscli.Find()
	if err != nil {
		t.Fatal(err)
	}
	server, err := awscli.Start(cli)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	testscript.Run(t, testscript.Params{
		Dir: "testdata/plan/aws",
		Setup: func(env *testscript.Env) error {
			past := &clock{}
			past.back.Store(int64(longAgo))
			emulator, err := service.OpenEmulator(t.Context(), service.EmulatorConfig{
				Account: identity.AccountSpec{ID: "123456789012"}, Now: past.now,
			})
			if err != nil {
				return err
			}
			real := httptest.NewServer(emulator)
			env.Defer(func() {
				real.Close()
				emulator.Close()
			})
			if err := linkAWS(env, cli, server); err != nil {
				return err
			}
			for name, value := range map[string]string{
				"ROLLCALL": real.URL, "PATH": env.WorkDir + "/bin:" + env.Getenv("PATH"), "HOME": env.WorkDir,
				"AWS_ACCESS_KEY_ID": emulator.RootKey.ID, "AWS_SECRET_ACCESS_KEY": emulator.RootKey.Secret.Reveal(),
				"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "LC_ALL": "C.UTF-8",
				"PYENV_ROOT": os.Getenv("PYENV_ROOT"),
			} {
				env.Setenv(name, value)
			}
			defer past.back.Store(0)
			return people(t.Context(), real.URL, emulator.RootKey, env, past)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"code": exitCode, "valid": valid,
			"keys": keyStates, "password": hasPassword},
	})
}

// linkAWS creates the "aws" that scripts call.
func linkAWS(env *testscript.Env, cli awscli.CLI, server *awscli.Server) error {
	if err := os.Mkdir(env.WorkDir+"/bin", 0o700); err != nil {
		return err
	}
	link := env.WorkDir + "/bin/aws"
	env.Setenv("AWS_CLI", cli.Path)
	if server.Socket() == "" {
		return os.Symlink(cli.Path, link)
	}
	env.Setenv(awscli.SocketVariable, server.Socket())
	return os.WriteFile(link, []byte("#!/bin/sh\nexec aws-by-server \"$@\"\n"), 0o700)
}

// keys USER [STATE]... compares the states of a user's access keys.
func keyStates(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: keys USER [STATE]...")
	}
	c := ts.Value("iam").(*iam.Client)
	got, err := c.ListAccessKeys(context.Background(), &iam.ListAccessKeysInput{UserName: &args[0]})
	ts.Check(err)
	var states []string
	for _, key := range got.AccessKeyMetadata {
		states = append(states, string(key.Status))
	}
	if !slices.Equal(states, args[1:]) {
		ts.Fatalf("%s has keys %q", args[0], states)
	}
}

// password USER true|false says whether a user has a password.
func hasPassword(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: password USER true|false")
	}
	_, err := ts.Value("iam").(*iam.Client).GetLoginProfile(context.Background(),
		&iam.GetLoginProfileInput{UserName: &args[0]})
	var none *types.NoSuchEntityException
	if err != nil && !errors.As(err, &none) {
		ts.Check(err)
	}
	if got := strconv.FormatBool(err == nil); got != args[1] {
		ts.Fatalf("%s has a password: %s", args[0], got)
	}
}

// longAgo is the age of the users when a session of commands begins.
const longAgo = 200 * 24 * time.Hour

// clock is a service's clock that is behind.
type clock struct{ back atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(-time.Duration(c.back.Load())) }

// SignHTTP signs for the clock's time.
func (c *clock) SignHTTP(
	ctx context.Context, by aws.Credentials, r *http.Request, hash, service, region string, _ time.Time,
	o ...func(*v4.SignerOptions),
) error {
	return v4.NewSigner().SignHTTP(ctx, by, r, hash, service, region, c.now(), o...)
}

// people creates the users of the sessions: two with a key each, whose ids and
// secrets become variables, and one with a password. The second key is used once.
func people(ctx context.Context, url string, root identity.RootKey, env *testscript.Env, past *clock) error {
	config := func(id, secret string) aws.Config {
		return aws.Config{BaseEndpoint: aws.String(url), Region: "us-east-1",
			Credentials: credentials.NewStaticCredentialsProvider(id, secret, "")}
	}
	c := iam.NewFromConfig(config(root.ID, root.Secret.Reveal()), func(o *iam.Options) { o.HTTPSignerV4 = past })
	env.Values["iam"] = c
	for _, user := range []struct {
		name, path, key string
	}{{"-=x@example.com", "/ops/team/", "KEY1"}, {"svc+backup", "/", "KEY2"}, {"amy", "/", ""}} {
		if _, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: &user.name, Path: &user.path}); err != nil {
			return err
		}
		if user.key == "" {
			if _, err := c.CreateLoginProfile(ctx,
				&iam.CreateLoginProfileInput{UserName: &user.name,
					Password: aws.String("correct-Horse-7-staple")}); err != nil {
				return err
			}
			continue
		}
		made, err := c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &user.name})
		if err != nil {
			return err
		}
		env.Setenv(user.key, *made.AccessKey.AccessKeyId)
		env.Setenv(strings.Replace(user.key, "KEY", "SECRET", 1), *made.AccessKey.SecretAccessKey)
		if user.key == "KEY2" {
			as := sts.NewFromConfig(config(*made.AccessKey.AccessKeyId, *made.AccessKey.SecretAccessKey),
				func(o *sts.Options) { o.HTTPSignerV4 = past })
			if _, err := as.GetCallerIdentity(ctx, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/spf13/cobra"

	"rollcall/internal/demo"
	"rollcall/internal/fleet"
	"rollcall/internal/identity"
	"rollcall/internal/render"
	"rollcall/internal/server"
	"rollcall/internal/service"
	"rollcall/report"
)

// demoRun is one run of 'rollcall demo'.
type demoRun struct {
	p      *process
	listen string
	once   bool
}

func demoCommand(p *process) *cobra.Command {
	d := &demoRun{p: p}
	c := &cobra.Command{
		Use:     "demo",
		GroupID: "service",
		Short:   "Start a service with example users, and show their report",
		Long: `Start the service in memory, on this machine only, with a random root key. Fill
an account, through the API, with users in every state that a credential report
can show. Then request the report, print it, and show how to point the AWS CLI,
boto3 and PowerShell at the service. The service runs until Ctrl-C.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context()) },
	}
	c.Flags().BoolVar(&d.once, "once", false, "exit after printing the report")
	c.Flags().StringVar(&d.listen, "listen", "127.0.0.1:0",
		"`address` of the API, on loopback; port 0 picks a free one")
	return c
}

func (d *demoRun) run(ctx context.Context) error {
	clock := &demo.Clock{}
	clock.Set(demo.Years)
	l, err := listen("listen", d.listen, nil, false)
	if errors.Is(err, server.ErrPlainHTTP) {
		err = usageError("listen on %s: the demonstration listens only on loopback", d.listen)
	}
	if err != nil {
		return err
	}
	emulator, err := service.OpenEmulator(ctx, service.EmulatorConfig{
		Account: identity.AccountSpec{ID: demo.AccountID}, Now: clock.Now, Console: true, ConsoleURL: localURL(l),
	})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	serving, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() {
		served <- server.Serve(serving, l, server.SameOrigin(emulator, nil, true),
			slog.New(slog.DiscardHandler), time.Second)
	}()
	err = d.show(ctx, l, emulator, clock)
	if err == nil && !d.once {
		<-ctx.Done()
	}
	stop()
	return errors.Join(err, <-served, emulator.Close())
}

// show runs the demonstration.
func (d *demoRun) show(ctx context.Context, l net.Listener, emulator *service.Emulator, clock *demo.Clock) error {
	url := "http://" + l.Addr().String()
	a := demo.NewAccount(url, localURL(l), emulator.RootKey.ID, emulator.RootKey.Secret.Reveal(), clock)
	d.printf(`Rollcall serves the IAM API on %s, in memory.
Two years pass in account %s, on a clock that begins in the past.
Every step is a call that is signed, sent and verified:

`, url, emulator.Account.ID)
	err := a.Tell(ctx, func(s demo.Step) error {
		d.printf("%12s  %-13s  %s\n", s.When(), s.Who, s.What)
		return nil
	})
	if err != nil {
		return err
	}
	if err := d.deny(ctx, a); err != nil {
		return err
	}
	d.printf("\nOlivia's policy allows two actions: to request the report, and to get it. Two commands of " +
		"rollcall print\n" +
		"the same as Request-IAMCredentialReport and Get-IAMCredentialReport of AWS Tools for PowerShell:\n")
	got, err := d.request(ctx, fleet.New(a.As("Olivia", "only"), url))
	if err != nil {
		return err
	}
	d.printf("\n$ rollcall report --output table\n\n")
	rows, err := report.ReadAll(bytes.NewReader(got.Content))
	if err != nil {
		return err
	}
	if err := render.Table(d.p.stdout, rows, tableOptions(d.p, d.p.stdout, "auto", got.Generated)); err != nil {
		return err
	}
	d.printf("\n$ rollcall report get --split-lines\n\n")
	for line := range render.Lines(got.Content) {
		d.printf("%s\n", line)
	}
	d.point(url, emulator.RootKey, a)
	return nil
}

func (d *demoRun) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(d.p.stdout, format, args...)
}

// deny shows the answer to a developer's call that no policy allows.
func (d *demoRun) deny(ctx context.Context, a *demo.Account) error {
	victor := iam.NewFromConfig(a.As("Victor", "only"))
	me, err := victor.GetUser(ctx, &iam.GetUserInput{})
	if err != nil {
		return fmt.Errorf("see Victor as himself: %w", err)
	}
	d.printf("\nVictor, a developer, may see himself and nobody else:\n\n"+
		"$ aws iam get-user --query User.Arn --output text\n%s\n", *me.User.Arn)
	_, err = victor.GetUser(ctx, &iam.GetUserInput{UserName: aws.String("Olivia")})
	text, denied := fleet.ServiceError(err)
	if !denied {
		return fmt.Errorf("see Olivia as Victor: %w", err)
	}
	d.printf("\n$ aws iam get-user --user-name Olivia\n%s\n", text)
	return nil
}

// request requests the report until there is one, and prints each new state.
func (d *demoRun) request(ctx context.Context, account *fleet.Account) (*fleet.Report, error) {
	var last fleet.Task
	for last.State != "COMPLETE" {
		task, err := account.Request(ctx)
		if err != nil {
			return nil, reportError(err)
		}
		if task != last {
			d.printf("\n$ rollcall report request\n\n")
			if err := writeTask(d.p.stdout, task); err != nil {
				return nil, err
			}
		}
		last = task
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	got, err := account.Get(ctx)
	return got, reportError(err)
}

// point explains how to reach the service with other tools.
func (d *demoRun) point(url string, key identity.RootKey, a *demo.Account) {
	d.printf(`
Any AWS client works with the service, unchanged. In another shell:

%[1]s
  aws iam list-users --output table
  aws iam get-credential-report --query Content --output text | base64 -d
  python3 -c 'import boto3; print(boto3.client("iam").get_credential_report()["Content"].decode())'
  pwsh -c 'Get-IAMCredentialReport -SplitLines -EndpointUrl $Env:AWS_ENDPOINT_URL'
  %[2]s report --output table

People use a browser: %[3]s/console/
Carol may do everything there, because she signs in with her device:

  account     %[4]s
  user name   Carol
  password    %[5]s
  MFA device  %[6]s
              (the key to type into an authenticator app)

`, exports(url, key.ID, key.Secret.Reveal()), called(),
		a.Console, demo.AccountID, a.Passwords["Carol"], a.Seeds["Carol"])
	if d.once {
		d.printf("The service stops here because of --once. Without the flag it runs until Ctrl-C.\n")
		return
	}
	d.printf("The service runs until Ctrl-C. Nothing of it is kept.\n")
}

// called returns the command that runs this binary again, which may not be in the
// PATH.
func called() string {
	if strings.ContainsRune(os.Args[0], os.PathSeparator) {
		return os.Args[0]
	}
	return "rollcall"
}

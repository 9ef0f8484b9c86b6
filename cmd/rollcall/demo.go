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

	"rollcall/internal/fleet"
	"rollcall/internal/identity"
	"rollcall/internal/render"
	"rollcall/internal/server"
	"rollcall/internal/service"
	"rollcall/report"
)

// demoAccountID is the number of the demonstration's account.
const demoAccountID = "123456789012"

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
		Short:   "Show a service, people in it, and their credential report",
		Long: `Start the service in memory, on this machine only, with a random root key, and
fill an account through its own API with people in every state that a
credential report can show. Then request the report, print it, and say how to
point the AWS CLI, boto3 and PowerShell at the service, which runs until Ctrl-C.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context()) },
	}
	c.Flags().BoolVar(&d.once, "once", false, "end after the report")
	c.Flags().StringVar(&d.listen, "listen", "127.0.0.1:0",
		"`address` of the API, on loopback; port 0 takes a free one")
	return c
}

func (d *demoRun) run(ctx context.Context) error {
	clock := &demoClock{}
	clock.set(demoYears)
	l, err := listen("listen", d.listen, nil, false)
	if errors.Is(err, server.ErrPlainHTTP) {
		err = usageError("listen on %s: the demonstration listens on loopback only", d.listen)
	}
	if err != nil {
		return err
	}
	emulator, err := service.OpenEmulator(ctx, service.EmulatorConfig{
		Account: identity.AccountSpec{ID: demoAccountID}, Now: clock.now, Console: true, ConsoleURL: localURL(l),
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

// show is the demonstration itself.
func (d *demoRun) show(ctx context.Context, l net.Listener, emulator *service.Emulator, clock *demoClock) error {
	url := "http://" + l.Addr().String()
	a := newDemoAccount(url, localURL(l), emulator.RootKey.ID, emulator.RootKey.Secret.Reveal(), clock)
	d.printf(`Rollcall serves the IAM API on %s, in memory.
Two years pass in account %s; its clock is set back for that.
Every step is a call that is signed, sent and verified:

`, url, emulator.Account.ID)
	for _, s := range demoStory {
		clock.set(s.ago)
		if err := s.do(ctx, a); err != nil {
			return fmt.Errorf("%s: %s: %w", s.who, s.what, err)
		}
		d.printf("%12s  %-13s  %s\n", s.when(), s.who, s.what)
	}
	clock.set(0)
	if err := d.deny(ctx, a); err != nil {
		return err
	}
	d.printf("\nOlivia's policy allows two actions: to request the report, and to get it. Two commands of " +
		"rollcall print\n" +
		"what Request-IAMCredentialReport and Get-IAMCredentialReport of AWS Tools for PowerShell print:\n")
	got, err := d.request(ctx, fleet.New(a.as("Olivia", "only"), url))
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

// deny shows what a developer hears who asks for what no policy allows.
func (d *demoRun) deny(ctx context.Context, a *demoAccount) error {
	victor := iam.NewFromConfig(a.as("Victor", "only"))
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

// request asks for the report until there is one, and prints each new state.
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

// point says how to reach the service with other tools.
func (d *demoRun) point(url string, key identity.RootKey, a *demoAccount) {
	d.printf(`
Any AWS client works with it, unchanged. In another shell:

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
		a.console, demoAccountID, a.passwords["Carol"], a.seeds["Carol"])
	if d.once {
		d.printf("The service ends here, as --once asks; without it, it runs until Ctrl-C.\n")
		return
	}
	d.printf("The service runs until Ctrl-C. Nothing of it is kept.\n")
}

// called returns how to call this binary again, where it may not be in the
// PATH.
func called() string {
	if strings.ContainsRune(os.Args[0], os.PathSeparator) {
		return os.Args[0]
	}
	return "rollcall"
}

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/fleet"
	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/service"
)

// devPeople are the people who can sign in to an emulator's console. Hashing
// their random passwords would delay the start, so a browser's first visit
// creates them. Tests that only call the API never see them.
type devPeople struct {
	root, user seal.Secret
}

// devUser is the name of the user.
const devUser = "demo"

// newDevPeople chooses passwords that every password policy allows.
func newDevPeople() devPeople {
	password := func() seal.Secret { return seal.NewSecret(rand.Text() + "-a7") }
	return devPeople{root: password(), user: password()}
}

// settle returns a function that creates these people in an account.
func (d devPeople) settle(
	endpoint, account string,
	key identity.RootKey,
) func(context.Context, *service.Service) error {
	client := iam.NewFromConfig(aws.Config{
		BaseEndpoint: &endpoint, Region: "us-east-1", HTTPClient: fleet.HTTPClient(nil),
		Credentials: credentials.NewStaticCredentialsProvider(key.ID, key.Secret.Reveal(), ""),
	})
	name, password := aws.String(devUser), d.user.Reveal()
	return func(ctx context.Context, s *service.Service) error {
		_, e1 := client.CreateUser(ctx, &iam.CreateUserInput{UserName: name})
		_, e2 := client.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{UserName: name, Password: &password})
		_, e3 := client.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{
			UserName: name, PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess"),
		})
		return errors.Join(s.IAM.SetRootPassword(ctx, account, d.root), e1, e2, e3)
	}
}

// said returns the text that explains how to sign in at a URL.
func (d devPeople) said(url, account string) string {
	return fmt.Sprintf(`  The console is at %s/console/ for account %s:
    root         %s
    user %s    %s

`, url, account, d.root.Reveal(), devUser, d.user.Reveal())
}

// localURL returns the URL of a listener with this machine's name. Passkeys belong
// to names, not to addresses.
func localURL(l net.Listener) string {
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return "http://" + l.Addr().String()
	}
	return "http://localhost:" + port
}

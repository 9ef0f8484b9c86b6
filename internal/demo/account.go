// Package demo fills an account, through its own API, with people in every state
// that a credential report can show. It is the program's demonstration, and the
// account for tests.
package demo

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/pquerna/otp/totp"

	"rollcall/internal/fleet"
)

// AccountID is the number of the account.
const AccountID = "123456789012"

// Clock is a clock that can be set back. It continues from there.
type Clock struct{ ago atomic.Int64 }

// Set sets the clock back.
func (c *Clock) Set(ago time.Duration) { c.ago.Store(int64(ago)) }

// Now returns the time of the clock.
func (c *Clock) Now() time.Time { return time.Now().Add(-time.Duration(c.ago.Load())) }

// signer signs with the time of the clock, because the service would refuse a
// signature from the future.
type signer struct {
	*v4.Signer
	clock *Clock
}

func (s signer) SignHTTP(
	ctx context.Context, c aws.Credentials, r *http.Request, hash, service, region string, _ time.Time,
	fns ...func(*v4.SignerOptions),
) error {
	return s.Signer.SignHTTP(ctx, c, r, hash, service, region, s.clock.Now(), fns...)
}

// Account is the account for the AWS SDK. iam is root's client. Keys are those
// of users, by the user's name and our own name for the key.
type Account struct {
	url   string
	clock *Clock
	http  aws.HTTPClient
	iam   *iam.Client
	keys  map[[2]string]*types.AccessKey
	// Console is the URL that browsers use. Passwords and Seeds belong to the
	// users who sign in there.
	Console          string
	Passwords, Seeds map[string]string
}

// NewAccount returns the account whose root has an access key, at the URL of
// the API.
func NewAccount(url, console, id, secret string, clock *Clock) *Account {
	a := &Account{url: url, clock: clock, http: fleet.HTTPClient(nil), keys: map[[2]string]*types.AccessKey{},
		Console: console, Passwords: map[string]string{}, Seeds: map[string]string{},
	}
	cfg := a.config(id, secret, "us-east-1")
	a.iam = iam.NewFromConfig(cfg, func(o *iam.Options) { o.HTTPSignerV4 = signer{v4.NewSigner(), clock} })
	return a
}

// As returns the SDK's configuration for one of the account's users.
func (a *Account) As(user, name string) aws.Config {
	k := a.keys[[2]string{user, name}]
	return a.config(*k.AccessKeyId, *k.SecretAccessKey, "us-east-1")
}

// group creates a group with its own policy.
func (a *Account) group(ctx context.Context, name, policy, statement string) error {
	if _, err := a.iam.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &name}); err != nil {
		return err
	}
	out, err := a.iam.CreatePolicy(ctx, &iam.CreatePolicyInput{
		PolicyName: &policy, PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[` + statement + `]}`),
	})
	if err != nil {
		return err
	}
	_, err = a.iam.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: &name, PolicyArn: out.Policy.Arn})
	return err
}

// join adds users to a group.
func (a *Account) join(ctx context.Context, group string, users ...string) error {
	for _, user := range users {
		if _, err := a.iam.AddUserToGroup(ctx,
			&iam.AddUserToGroupInput{GroupName: &group, UserName: &user}); err != nil {
			return err
		}
	}
	return nil
}

// config ignores the environment, so the demonstration is the same everywhere.
func (a *Account) config(id, secret, region string) aws.Config {
	return aws.Config{
		BaseEndpoint: aws.String(a.url), Region: region, HTTPClient: a.http,
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
	}
}

// inTurn runs functions until the first error.
func (a *Account) inTurn(err error, then ...func() error) error {
	for _, f := range then {
		if err != nil {
			return err
		}
		err = f()
	}
	return err
}

func (a *Account) user(ctx context.Context, path, name string) error {
	_, err := a.iam.CreateUser(ctx, &iam.CreateUserInput{Path: &path, UserName: &name})
	return err
}

func (a *Account) policy(ctx context.Context, days int32) error {
	_, err := a.iam.UpdateAccountPasswordPolicy(ctx, &iam.UpdateAccountPasswordPolicyInput{
		MaxPasswordAge: &days, MinimumPasswordLength: aws.Int32(14), AllowUsersToChangePassword: true,
	})
	return err
}

func (a *Account) password(ctx context.Context, user string, reset bool) error {
	a.Passwords[user] = rand.Text()
	_, err := a.iam.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{
		UserName: &user, Password: aws.String(a.Passwords[user]), PasswordResetRequired: reset,
	})
	return err
}

func (a *Account) key(ctx context.Context, user, name string) error {
	out, err := a.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &user})
	if err == nil {
		a.keys[[2]string{user, name}] = out.AccessKey
	}
	return err
}

// use sends a call that every user may make, signed with the key.
func (a *Account) use(ctx context.Context, user, name, region string) error {
	k := a.keys[[2]string{user, name}]
	client := sts.NewFromConfig(a.config(*k.AccessKeyId, *k.SecretAccessKey, region), func(o *sts.Options) {
		o.HTTPSignerV4 = signer{v4.NewSigner(), a.clock}
	})
	_, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	return err
}

func (a *Account) switchOff(ctx context.Context, user, name string) error {
	_, err := a.iam.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{
		UserName: &user, AccessKeyId: a.keys[[2]string{user, name}].AccessKeyId, Status: types.StatusTypeInactive,
	})
	return err
}

// device creates a virtual MFA device and enables it for a user, or for root if
// user is "", with two codes that the device would show.
func (a *Account) device(ctx context.Context, user string) error {
	in := &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: aws.String(user)}
	enable := &iam.EnableMFADeviceInput{UserName: aws.String(user)}
	if user == "" {
		in.VirtualMFADeviceName = aws.String("root-account-mfa-device")
		enable.UserName = aws.String("root")
	}
	out, err := a.iam.CreateVirtualMFADevice(ctx, in)
	if err != nil {
		return err
	}
	seed, now := string(out.VirtualMFADevice.Base32StringSeed), a.clock.Now()
	first, err1 := totp.GenerateCode(seed, now.Add(-30*time.Second))
	second, err2 := totp.GenerateCode(seed, now)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("make codes: %w", err)
	}
	a.Seeds[user] = seed
	enable.SerialNumber = out.VirtualMFADevice.SerialNumber
	enable.AuthenticationCode1, enable.AuthenticationCode2 = &first, &second
	_, err = a.iam.EnableMFADevice(ctx, enable)
	return err
}

// Request requests a credential report.
func (a *Account) Request(ctx context.Context) error {
	_, err := a.iam.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{})
	return err
}

// signIn signs a user in to the console with its password and a code of its
// device. The password has expired, so the user chooses another one.
func (a *Account) signIn(ctx context.Context, user string) error {
	s, err := NewBrowser(a.Console)
	if err != nil {
		return err
	}
	code, err := totp.GenerateCode(a.Seeds[user], a.clock.Now())
	if err != nil {
		return err
	}
	_, err = s.Send(ctx, "/console/sign-in", "do", "sign-in", "account", AccountID, "user", user,
		"password", a.Passwords[user])
	if err != nil {
		return err
	}
	serial := "arn:aws:iam::" + AccountID + ":mfa/" + user
	if _, err := s.Send(ctx, "/console/sign-in/mfa", "do", "code", "serial", serial, "code", code); err != nil {
		return err
	}
	a.Passwords[user] = rand.Text()
	at, err := s.Send(ctx, "/console/sign-in/new-password", "do", "choose", "new", a.Passwords[user],
		"again", a.Passwords[user])
	if err == nil && strings.HasPrefix(at, "/console/sign-in") {
		err = fmt.Errorf("%s is not signed in; the page is %s", user, at)
	}
	return err
}

// certificate uploads a new self-signed certificate and gives it a status.
func (a *Account) certificate(ctx context.Context, user string, status types.StatusType) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := a.clock.Now()
	of := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: user}, NotBefore: now,
		NotAfter: now.Add(3 * 365 * day),
	}
	der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	if err != nil {
		return err
	}
	body := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	out, err := a.iam.UploadSigningCertificate(ctx,
		&iam.UploadSigningCertificateInput{UserName: &user, CertificateBody: &body})
	if err != nil || status == types.StatusTypeActive {
		return err
	}
	_, err = a.iam.UpdateSigningCertificate(ctx, &iam.UpdateSigningCertificateInput{
		UserName: &user, CertificateId: out.Certificate.CertificateId, Status: status,
	})
	return err
}

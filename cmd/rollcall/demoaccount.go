package main

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

// demoClock is a clock that can be set back; it runs on from there.
type demoClock struct{ ago atomic.Int64 }

func (c *demoClock) set(ago time.Duration) { c.ago.Store(int64(ago)) }
func (c *demoClock) now() time.Time        { return time.Now().Add(-time.Duration(c.ago.Load())) }

// demoSigner signs with the time of the clock, or the service would refuse
// the signature as one of the future.
type demoSigner struct {
	*v4.Signer
	clock *demoClock
}

func (s demoSigner) SignHTTP(
	ctx context.Context, c aws.Credentials, r *http.Request, hash, service, region string, _ time.Time,
	fns ...func(*v4.SignerOptions),
) error {
	return s.Signer.SignHTTP(ctx, c, r, hash, service, region, s.clock.now(), fns...)
}

// demoAccount is the account as the AWS SDK sees it: iam is root's client.
// Keys are those of users, by the user's name and a name of ours for the key.
type demoAccount struct {
	url   string
	clock *demoClock
	http  aws.HTTPClient
	iam   *iam.Client
	keys  map[[2]string]*types.AccessKey
	// console is the URL that browsers use; passwords and seeds are those of users
	// who sign in there.
	console          string
	passwords, seeds map[string]string
}

func newDemoAccount(url, console, id, secret string, clock *demoClock) *demoAccount {
	a := &demoAccount{url: url, clock: clock, http: fleet.HTTPClient(nil), keys: map[[2]string]*types.AccessKey{},
		console: console, passwords: map[string]string{}, seeds: map[string]string{},
	}
	cfg := a.config(id, secret, "us-east-1")
	a.iam = iam.NewFromConfig(cfg, func(o *iam.Options) { o.HTTPSignerV4 = demoSigner{v4.NewSigner(), clock} })
	return a
}

// as is the account as one of its users sees it.
func (a *demoAccount) as(user, name string) aws.Config {
	k := a.keys[[2]string{user, name}]
	return a.config(*k.AccessKeyId, *k.SecretAccessKey, "us-east-1")
}

// group makes a group that may do what a policy of its own says.
func (a *demoAccount) group(ctx context.Context, name, policy, statement string) error {
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

// join puts users into a group.
func (a *demoAccount) join(ctx context.Context, group string, users ...string) error {
	for _, user := range users {
		if _, err := a.iam.AddUserToGroup(ctx,
			&iam.AddUserToGroupInput{GroupName: &group, UserName: &user}); err != nil {
			return err
		}
	}
	return nil
}

// config leaves out the environment: the demonstration is the same for all.
func (a *demoAccount) config(id, secret, region string) aws.Config {
	return aws.Config{
		BaseEndpoint: aws.String(a.url), Region: region, HTTPClient: a.http,
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
	}
}

// inTurn ends with the first error.
func (a *demoAccount) inTurn(err error, then ...func() error) error {
	for _, f := range then {
		if err != nil {
			return err
		}
		err = f()
	}
	return err
}

func (a *demoAccount) user(ctx context.Context, path, name string) error {
	_, err := a.iam.CreateUser(ctx, &iam.CreateUserInput{Path: &path, UserName: &name})
	return err
}

func (a *demoAccount) policy(ctx context.Context, days int32) error {
	_, err := a.iam.UpdateAccountPasswordPolicy(ctx, &iam.UpdateAccountPasswordPolicyInput{
		MaxPasswordAge: &days, MinimumPasswordLength: aws.Int32(14), AllowUsersToChangePassword: true,
	})
	return err
}

func (a *demoAccount) password(ctx context.Context, user string, reset bool) error {
	a.passwords[user] = rand.Text()
	_, err := a.iam.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{
		UserName: &user, Password: aws.String(a.passwords[user]), PasswordResetRequired: reset,
	})
	return err
}

func (a *demoAccount) key(ctx context.Context, user, name string) error {
	out, err := a.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &user})
	if err == nil {
		a.keys[[2]string{user, name}] = out.AccessKey
	}
	return err
}

// use makes a call that every user may make, signed with the key.
func (a *demoAccount) use(ctx context.Context, user, name, region string) error {
	k := a.keys[[2]string{user, name}]
	client := sts.NewFromConfig(a.config(*k.AccessKeyId, *k.SecretAccessKey, region), func(o *sts.Options) {
		o.HTTPSignerV4 = demoSigner{v4.NewSigner(), a.clock}
	})
	_, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	return err
}

func (a *demoAccount) switchOff(ctx context.Context, user, name string) error {
	_, err := a.iam.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{
		UserName: &user, AccessKeyId: a.keys[[2]string{user, name}].AccessKeyId, Status: types.StatusTypeInactive,
	})
	return err
}

// device makes a virtual MFA device and enables it for a user, or for root
// where there is no name, with two codes as the device would show them.
func (a *demoAccount) device(ctx context.Context, user string) error {
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
	seed, now := string(out.VirtualMFADevice.Base32StringSeed), a.clock.now()
	first, err1 := totp.GenerateCode(seed, now.Add(-30*time.Second))
	second, err2 := totp.GenerateCode(seed, now)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("make codes: %w", err)
	}
	a.seeds[user] = seed
	enable.SerialNumber = out.VirtualMFADevice.SerialNumber
	enable.AuthenticationCode1, enable.AuthenticationCode2 = &first, &second
	_, err = a.iam.EnableMFADevice(ctx, enable)
	return err
}

// signIn signs a user in to the console with its password and a code of its
// device. The password has expired, so another one is chosen.
func (a *demoAccount) signIn(ctx context.Context, user string) error {
	s, err := newConsoleSession(a.console)
	if err != nil {
		return err
	}
	code, err := totp.GenerateCode(a.seeds[user], a.clock.now())
	if err != nil {
		return err
	}
	_, err = s.send(ctx, "/console/sign-in", "do", "sign-in", "account", demoAccountID, "user", user,
		"password", a.passwords[user])
	if err != nil {
		return err
	}
	serial := "arn:aws:iam::" + demoAccountID + ":mfa/" + user
	if _, err := s.send(ctx, "/console/sign-in/mfa", "do", "code", "serial", serial, "code", code); err != nil {
		return err
	}
	a.passwords[user] = rand.Text()
	at, err := s.send(ctx, "/console/sign-in/new-password", "do", "choose", "new", a.passwords[user],
		"again", a.passwords[user])
	if err == nil && strings.HasPrefix(at, "/console/sign-in") {
		err = fmt.Errorf("%s is not signed in, but at %s", user, at)
	}
	return err
}

// certificate uploads a new self-signed certificate and gives it a status.
func (a *demoAccount) certificate(ctx context.Context, user string, status types.StatusType) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := a.clock.now()
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

package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
)

// DefaultRegion is the region if none is set. IAM is the same in all regions of
// a partition, but a signature must name one.
const DefaultRegion = "us-east-1"

// Settings are settings in addition to the AWS environment. The zero value uses
// the environment alone.
type Settings struct {
	Profile  string // same as --profile and AWS_PROFILE
	Region   string // same as --region and AWS_REGION
	Endpoint string // same as --endpoint-url
	CABundle string // a PEM file, same as --ca-bundle and AWS_CA_BUNDLE
	// AllowHTTP permits plain HTTP to an endpoint that is not this machine.
	AllowHTTP bool
	// MFACode asks the user for the code of an MFA device, for profiles with
	// mfa_serial. If it is nil, such profiles are an error unless a saved
	// session exists.
	MFACode func(serial string) (string, error)
	// Sessions is a folder that keeps sessions that needed an MFA code until
	// they expire, so the next command need not ask again. "" keeps none. The
	// folder contains only session keys, which only the user can read.
	Sessions string
}

// ConfigError is an error in the environment, the settings or the credentials,
// in contrast to an error of the service.
type ConfigError struct {
	err error
	// Setting says whether a setting is unusable: a profile, an endpoint or a
	// settings file. Then no request was sent.
	Setting bool
}

func (e *ConfigError) Error() string { return e.err.Error() }
func (e *ConfigError) Unwrap() error { return e.err }

func configError(format string, args ...any) error {
	return &ConfigError{err: fmt.Errorf(format, args...)}
}

func settingError(format string, args ...any) error {
	return &ConfigError{err: fmt.Errorf(format, args...), Setting: true}
}

// Account is one account with one set of credentials.
type Account struct {
	iam      *iam.Client
	endpoint string
}

// Endpoint returns the configured endpoint, "" for AWS's own.
func (a *Account) Endpoint() string { return a.endpoint }

// Open finds the account's endpoint and credentials. It calls STS only to
// assume a role. Errors are *ConfigError or the service's.
func Open(ctx context.Context, s Settings) (*Account, error) {
	c, err := SignIn(ctx, s)
	if err != nil {
		return nil, err
	}
	return c.Account(), nil
}

// SignIn finds the caller's endpoints and credentials, as Open does.
func SignIn(ctx context.Context, s Settings) (*Caller, error) {
	env, err := config.NewEnvConfig()
	if err != nil {
		return nil, settingError("%w", err)
	}
	profile, err := loadProfile(ctx, s.Profile, env)
	if err != nil {
		return nil, err
	}
	at := resolveEndpoints(ctx, s.Endpoint, env, profile)
	for _, e := range []string{at.iam, at.sts, at.organizations, at.signin} {
		if err := checkEndpoint(e, s.AllowHTTP); err != nil {
			return nil, err
		}
	}
	session, err := loginOf(at, s.Profile, env, profile)
	if err != nil {
		return nil, err
	}
	cfg, err := load(ctx, s, at)
	if err != nil {
		return nil, err
	}
	if session.path != "" {
		cfg.Credentials = session.credentials(cfg)
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return nil, credentialsError(ctx, err)
	}
	return newCaller(cfg, at), nil
}

// New returns the account of a complete configuration, at the given endpoint.
// "" is AWS's own endpoint.
func New(cfg aws.Config, endpoint string) *Account {
	return &Account{endpoint: endpoint, iam: iam.NewFromConfig(cfg, func(o *iam.Options) {
		o.HTTPClient = HTTPClient(o.HTTPClient)
		o.BaseEndpoint = baseEndpoint(endpoint)
	})}
}

// CheckProfiles returns a *ConfigError that names a profile that is not
// configured.
func CheckProfiles(ctx context.Context, names []string) error {
	env, err := config.NewEnvConfig()
	if err != nil {
		return settingError("%w", err)
	}
	for _, name := range names {
		if _, err := loadProfile(ctx, name, env); err != nil {
			return err
		}
	}
	return nil
}

// loadProfile reads the profile that the SDK will use. A profile that was named
// must exist.
func loadProfile(ctx context.Context, name string, env config.EnvConfig) (config.SharedConfig, error) {
	chosen := cmp.Or(name, env.SharedConfigProfile)
	profile, err := config.LoadSharedConfigProfile(ctx, cmp.Or(chosen, "default"),
		func(o *config.LoadSharedConfigOptions) {
			if env.SharedConfigFile != "" {
				o.ConfigFiles = []string{env.SharedConfigFile}
			}
			if env.SharedCredentialsFile != "" {
				o.CredentialsFiles = []string{env.SharedCredentialsFile}
			}
		})
	var missing config.SharedConfigProfileNotExistError
	switch {
	case errors.As(err, &missing) && chosen == "":
		return config.SharedConfig{}, nil
	case errors.As(err, &missing):
		return profile, settingError("The config profile (%s) could not be found", missing.Profile)
	case err != nil:
		return profile, settingError("%w", err)
	}
	return profile, nil
}

// load loads the configuration as the SDK does, but assumes roles at our
// endpoint.
func load(ctx context.Context, s Settings, at endpoints) (aws.Config, error) {
	options := []func(*config.LoadOptions) error{
		config.WithDefaultRegion(DefaultRegion),
		config.WithRetryer(func() aws.Retryer { return hasty{retry.NewStandard()} }),
		config.WithLogger(logging.Nop{}), // errors contain everything
		config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) { assumeRole(o, s, at.sts) }),
		config.WithWebIdentityRoleCredentialOptions(func(o *stscreds.WebIdentityRoleOptions) {
			if o.Client != nil {
				o.Client = tokensAt{stsAt(at.sts), o.Client}
			}
		}),
	}
	if s.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(s.Profile))
	}
	if s.Region != "" {
		options = append(options, config.WithRegion(s.Region))
	}
	if s.CABundle != "" {
		f, err := os.Open(s.CABundle)
		if err != nil {
			return aws.Config{}, settingError("read the CA bundle: %w", err)
		}
		defer f.Close()
		options = append(options, config.WithCustomCABundle(f))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return cfg, settingError("%w", err)
	}
	if cfg.RetryMode == aws.RetryModeAdaptive {
		cfg.Retryer = func() aws.Retryer { return hasty{retry.NewAdaptiveMode()} }
	}
	return cfg, nil
}

// credentialsError finds out why there are no credentials: the user's
// configuration, or an answer of STS.
func credentialsError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("get credentials: %w", err)
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		// This is the end of the chain: nothing is configured, and this machine
		// is not an EC2 instance.
		if op, ok := e.(*smithy.OperationError); ok && op.ServiceID == "ec2imds" {
			return configError(
				`Unable to locate credentials. You can configure credentials by running "aws configure".`)
		}
	}
	if _, isAnswer := ServiceError(err); isAnswer {
		return err
	}
	return configError("get credentials: %w", plain(err))
}

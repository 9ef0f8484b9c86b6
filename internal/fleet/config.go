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

// DefaultRegion is the region where none is set. IAM is the same in all
// regions of a partition, but a signature must name one.
const DefaultRegion = "us-east-1"

// Settings are settings in addition to the AWS environment. The zero value
// leaves everything to it.
type Settings struct {
	Profile  string // as --profile and AWS_PROFILE
	Region   string // as --region and AWS_REGION
	Endpoint string // as --endpoint-url
	CABundle string // a PEM file, as --ca-bundle and AWS_CA_BUNDLE
	// AllowHTTP permits plain HTTP to an endpoint that is not this machine.
	AllowHTTP bool
	// MFACode asks the user for the code of an MFA device, for profiles with
	// mfa_serial. nil refuses such profiles, unless a session is kept.
	MFACode func(serial string) (string, error)
	// Sessions is a folder where sessions that took an MFA code are kept until
	// they expire, so that the next command need not ask again; "" keeps none.
	// It holds session keys only, readable by the user alone.
	Sessions string
}

// ConfigError is an error in the environment, the settings or the
// credentials, as opposed to one of the service.
type ConfigError struct {
	err error
	// Setting means that a setting cannot be used: a profile, an endpoint or a
	// file of settings. Nothing was asked then.
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

// Account is one account, reached with one set of credentials.
type Account struct {
	iam      *iam.Client
	endpoint string
}

// Endpoint is the configured endpoint, "" for AWS's own.
func (a *Account) Endpoint() string { return a.endpoint }

// Open finds the account's endpoint and credentials. To assume a role it
// calls STS, otherwise nothing. Errors are *ConfigError or the service's.
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

// New returns the account that a finished configuration leads to, at the given
// endpoint, or at AWS's own where it is "".
func New(cfg aws.Config, endpoint string) *Account {
	return &Account{endpoint: endpoint, iam: iam.NewFromConfig(cfg, func(o *iam.Options) {
		o.HTTPClient = HTTPClient(o.HTTPClient)
		o.BaseEndpoint = baseEndpoint(endpoint)
	})}
}

// CheckProfiles says which of several profiles is not configured. The error is
// a *ConfigError.
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

// loadProfile reads the profile that the SDK will use. One that was named
// must be there.
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

// load is the SDK's own loading, with roles assumed at our endpoint.
func load(ctx context.Context, s Settings, at endpoints) (aws.Config, error) {
	options := []func(*config.LoadOptions) error{
		config.WithDefaultRegion(DefaultRegion),
		config.WithRetryer(func() aws.Retryer { return hasty{retry.NewStandard()} }),
		config.WithLogger(logging.Nop{}), // an error says all there is to say
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

// credentialsError sorts out why there are no credentials: the user's
// configuration, or an answer of STS.
func credentialsError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("get credentials: %w", err)
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		// The end of the chain: nothing was configured, and this is no
		// EC2 instance either.
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

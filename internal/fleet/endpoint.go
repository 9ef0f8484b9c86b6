package fleet

import (
	"cmp"
	"context"
	"net"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// endpoints are the addresses of the services; "" is AWS itself.
type endpoints struct{ iam, sts, organizations, signin string }

// resolveEndpoints looks for an endpoint in the order of the AWS CLI: the flag,
// the service's variable, the common variable, the profile's services section,
// the profile's endpoint_url. AWS_IGNORE_CONFIGURED_ENDPOINT_URLS turns off all
// but the flag.
//
// A service without a configured endpoint gets the one of IAM: the keys belong to
// that installation, and so do its roles, its organization and its sessions.
func resolveEndpoints(ctx context.Context, flag string, env config.EnvConfig, profile config.SharedConfig) endpoints {
	if flag != "" {
		return endpoints{flag, flag, flag, flag}
	}
	if ignored(ctx, env, profile) {
		return endpoints{}
	}
	of := func(service string) string {
		if u, ok, _ := env.GetServiceBaseEndpoint(ctx, service); ok {
			return u
		}
		if env.BaseEndpoint != "" {
			return env.BaseEndpoint
		}
		if u, ok, _ := profile.GetServiceBaseEndpoint(ctx, service); ok {
			return u
		}
		return profile.BaseEndpoint
	}
	e := endpoints{of("IAM"), of("STS"), of("Organizations"), of("Signin")}
	e.sts = cmp.Or(e.sts, e.iam)
	e.organizations = cmp.Or(e.organizations, e.iam)
	e.signin = cmp.Or(e.signin, e.iam)
	return e
}

func ignored(ctx context.Context, env config.EnvConfig, profile config.SharedConfig) bool {
	if v, found, _ := env.GetIgnoreConfiguredEndpoints(ctx); found {
		return v
	}
	v, _, _ := profile.GetIgnoreConfiguredEndpoints(ctx)
	return v
}

// checkEndpoint returns an error for an invalid endpoint, and for plain HTTP to
// another machine: others could read a report and its names on the way.
func checkEndpoint(endpoint string, allowHTTP bool) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return settingError("the endpoint %q is not a URL such as https://iam.example.com", endpoint)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return settingError("an endpoint has no user, query or fragment")
	}
	if u.Scheme == "http" && !allowHTTP && !loopback(u.Hostname()) {
		return settingError("the endpoint %s is plain HTTP to another machine: use https, or --allow-http if the way "+
			"there is safe", endpoint)
	}
	return nil
}

func loopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// baseEndpoint returns an endpoint for the SDK's clients. nil is AWS's own
// endpoint, whatever the environment says, which was read before.
func baseEndpoint(endpoint string) *string {
	if endpoint == "" {
		return nil
	}
	return &endpoint
}

// stsAt sends every call of STS to one endpoint. The SDK's credential chain
// needs it, because the chain's own client reads only some of the places that
// can configure an endpoint, and otherwise uses AWS.
type stsAt string

func (s stsAt) options(o *sts.Options) {
	o.BaseEndpoint = baseEndpoint(string(s))
	o.HTTPClient = HTTPClient(o.HTTPClient)
}

// tokensAt calls AssumeRoleWithWebIdentity at an endpoint.
type tokensAt struct {
	at   stsAt
	next stscreds.AssumeRoleWithWebIdentityAPIClient
}

func (t tokensAt) AssumeRoleWithWebIdentity(
	ctx context.Context, in *sts.AssumeRoleWithWebIdentityInput, fns ...func(*sts.Options),
) (*sts.AssumeRoleWithWebIdentityOutput, error) {
	return t.next.AssumeRoleWithWebIdentity(ctx, in, append(fns, t.at.options)...)
}

package fleet

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Caller is one set of credentials and the addresses of the services. Every
// role is assumed with these credentials, never with those of another role, so
// one refused session costs only one account.
type Caller struct {
	cfg aws.Config
	at  endpoints
	sts *sts.Client
}

// sessionName is the name of sessions in the trail of the account, unless the
// profile sets another name.
const sessionName = "rollcall"

func newCaller(cfg aws.Config, at endpoints) *Caller {
	if b, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok {
		cfg.HTTPClient = impatient(b)
	}
	cfg.HTTPClient = HTTPClient(cfg.HTTPClient) // one pool of connections for all clients
	return &Caller{cfg, at, sts.NewFromConfig(cfg, stsAt(at.sts).options)}
}

// Account returns the caller's own account, with the caller's own credentials.
func (c *Caller) Account() *Account { return New(c.cfg, c.at.iam) }

// Identity is the account of a caller.
type Identity struct {
	Account   string // twelve digits
	Partition string // aws, aws-cn, aws-us-gov, aws-eusc, …
	ARN       string
}

// Identity asks STS for the caller's account. It needs no permission.
func (c *Caller) Identity(ctx context.Context) (Identity, error) {
	out, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Identity{}, plain(err)
	}
	id := Identity{Account: aws.ToString(out.Account), ARN: aws.ToString(out.Arn)}
	parts := strings.SplitN(id.ARN, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[1] == "" || parts[4] != id.Account {
		return Identity{}, fmt.Errorf("get caller identity: %q is not an ARN of account %q", id.ARN, id.Account)
	}
	id.Partition = parts[1]
	return id, nil
}

// sessionPolicy returns the policy of every session of a role. It limits the
// session to getting reports and to the actions in more, whatever else the role
// may do.
func sessionPolicy(more []string) string {
	const allow, everywhere = `{"Effect":"Allow","Action":["`, `"],"Resource":"*"}`
	policy := `{"Version":"2012-10-17","Statement":[` + allow +
		`iam:GenerateCredentialReport","iam:GetCredentialReport` + everywhere
	if len(more) > 0 {
		policy += "," + allow + strings.Join(more, `","`) + everywhere
	}
	return policy + "]}"
}

// renewBefore is the time before the end of a session when it is renewed, so that no
// request arrives after the end. A session lasts 15 minutes.
const renewBefore = time.Minute

// assume returns an account that is reached through a role in it. It calls STS
// at once, so a refusal is recognized as one.
func (c *Caller) assume(ctx context.Context, role string, roles Roles) (*Account, error) {
	cfg := c.once()
	cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(
		sts.NewFromConfig(cfg, stsAt(c.at.sts).options), role, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = sessionName
			o.Policy = aws.String(sessionPolicy(roles.Actions))
			if roles.ExternalID != "" {
				o.ExternalID = &roles.ExternalID
			}
		}), func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = renewBefore })
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return nil, plain(err)
	}
	return New(cfg, c.at.iam), nil
}

// once returns the configuration without the SDK's retries. A run retries
// failed calls later, and asks other accounts in the meantime.
func (c *Caller) once() aws.Config {
	cfg := c.cfg.Copy()
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	return cfg
}

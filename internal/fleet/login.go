package fleet

import (
	"cmp"
	"encoding/json"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/aws/aws-sdk-go-v2/service/signin"
)

// login is the session that 'aws login' saved for a profile.
type login struct {
	path     string // path of its file, "" for none
	endpoint string // endpoint of the service that began it
}

// loginOf finds the login session of a profile. It refuses to use the session
// with another service than the one that began it, which would receive its
// tokens.
func loginOf(at endpoints, flag string, env config.EnvConfig, profile config.SharedConfig) (login, error) {
	custom := cmp.Or(at.iam, at.sts, at.organizations)
	if !signsIn(flag, env, profile) {
		return login{}, nil
	}
	path, ours := rollcallSession(profile.LoginSession)
	switch {
	case ours && custom == "":
		return login{}, settingError("this profile signed in at a Rollcall, so its session is not for AWS: name the " +
			"endpoint, by --endpoint-url, AWS_ENDPOINT_URL or the profile's endpoint_url")
	case !ours && custom != "":
		return login{}, settingError("this profile signs in at AWS, so its session is not for the endpoint %s: export keys "+
			"first, as with 'aws configure export-credentials'", custom)
	case !ours:
		return login{}, nil
	}
	return login{path, at.signin}, nil
}

// signsIn says whether the credentials will come from a login session, of IAM
// Identity Center or of 'aws login'.
func signsIn(flag string, env config.EnvConfig, profile config.SharedConfig) bool {
	if flag == "" && (env.Credentials.HasKeys() || env.WebIdentityTokenFilePath != "") {
		return false
	}
	source := &profile
	for source.Source != nil {
		source = source.Source
	}
	if source.Credentials.HasKeys() || source.CredentialSource != "" || source.WebIdentityTokenFile != "" {
		return false
	}
	return source.SSOSessionName != "" || source.SSOStartURL != "" || source.LoginSession != ""
}

// rollcallToken begins the refresh tokens of a Rollcall service.
const rollcallToken = "rollcall."

// rollcallSession finds the file of a session of 'aws login', and says whether a
// Rollcall service began it. Any other session, and an unreadable one, counts as
// AWS's.
func rollcallSession(session string) (path string, ours bool) {
	if session == "" {
		return "", false
	}
	path, err := logincreds.StandardCachedTokenFilepath(session, os.Getenv("AWS_LOGIN_CACHE_DIRECTORY"))
	if err != nil {
		return "", false
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", false
	}
	var kept struct {
		RefreshToken string `json:"refreshToken"`
	}
	return path, json.Unmarshal(text, &kept) == nil && strings.HasPrefix(kept.RefreshToken, rollcallToken)
}

// credentials refreshes the session at the service that began it. The SDK's own
// chain creates its client before it reads the endpoints, and would send the
// session's tokens to AWS.
func (l login) credentials(cfg aws.Config) aws.CredentialsProvider {
	client := signin.NewFromConfig(cfg, func(o *signin.Options) {
		o.BaseEndpoint = baseEndpoint(l.endpoint)
		o.HTTPClient = HTTPClient(o.HTTPClient)
	})
	return aws.NewCredentialsCache(logincreds.New(client, l.path, func(o *logincreds.Options) {
		o.RestrictPermissions = true
	}))
}

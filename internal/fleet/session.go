package fleet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// sessionLasts is the default duration of a session of a profile's role: an
// hour, as in the AWS CLI. The SDK would request a quarter of that, and so need
// a code four times as often.
const sessionLasts = time.Hour

// sessionMargin is the minimum remaining time of a saved session that is used:
// it must not expire during a command.
const sessionMargin = 5 * time.Minute

// longestSession is the maximum that STS gives to a user. AWS STS,
// GetSessionToken.
const longestSession = 36 * time.Hour

// assumeRole configures how the SDK's credential chain assumes a profile's
// role.
func assumeRole(o *stscreds.AssumeRoleOptions, s Settings, endpoint string) {
	if o.RoleSessionName == "" {
		o.RoleSessionName = sessionName
	}
	if o.Duration == 0 {
		o.Duration = sessionLasts
	}
	if o.SerialNumber != nil {
		// rolesAt.AssumeRole asks for the code if it is needed.
		o.TokenProvider = func() (string, error) { return "", nil }
	}
	if o.Client != nil {
		o.Client = rolesAt{at: stsAt(endpoint), next: o.Client, code: s.MFACode, kept: sessions(s.Sessions)}
	}
}

// rolesAt calls AssumeRole at an endpoint. It saves sessions that need an MFA
// code for the next commands.
type rolesAt struct {
	at   stsAt
	next stscreds.AssumeRoleAPIClient
	code func(serial string) (string, error)
	kept sessions
}

func (r rolesAt) AssumeRole(
	ctx context.Context, in *sts.AssumeRoleInput, fns ...func(*sts.Options),
) (*sts.AssumeRoleOutput, error) {
	fns = append(fns, r.at.options)
	if in.SerialNumber == nil {
		return r.next.AssumeRole(ctx, in, fns...)
	}
	key, err := r.key(ctx, in)
	if err != nil {
		return nil, err
	}
	if c := r.kept.load(key); c != nil && r.good(ctx, c) {
		return &sts.AssumeRoleOutput{Credentials: c}, nil
	}
	if r.code == nil {
		return nil, configError("this profile needs an MFA code, and there is no terminal to ask for it")
	}
	code, err := r.code(*in.SerialNumber)
	if err != nil {
		return nil, err
	}
	in.TokenCode = &code
	out, err := r.next.AssumeRole(ctx, in, fns...)
	if err != nil {
		return nil, err
	}
	if out.Credentials == nil {
		return nil, errors.New("assume role: the answer has no credentials")
	}
	// If a session cannot be saved, the user enters one more code. That is not
	// a failure.
	_ = r.kept.store(key, out.Credentials)
	return out, nil
}

// good says whether the service still accepts a session: it may have been
// revoked, or the service may have lost it. If the service cannot be reached at
// the moment, the answer is yes.
func (r rolesAt) good(ctx context.Context, c *types.Credentials) bool {
	client, ok := r.next.(*sts.Client)
	if !ok {
		return true
	}
	session := credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	_, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}, r.at.options, func(o *sts.Options) {
		o.Credentials = session
	})
	_, refused := ServiceError(err)
	return !refused || situationOf(err) == busy
}

// key returns a name for a session. It is derived from everything that
// identifies the session: the endpoint, the key and the request. The code is
// omitted because it differs every time.
func (r rolesAt) key(ctx context.Context, in *sts.AssumeRoleInput) (string, error) {
	source := ""
	if c, ok := r.next.(*sts.Client); ok {
		key, err := c.Options().Credentials.Retrieve(ctx)
		if err != nil {
			return "", err
		}
		source = key.AccessKeyID
	}
	request := *in
	request.TokenCode = nil
	text, err := json.Marshal(struct {
		Endpoint, Key string
		Request       sts.AssumeRoleInput
	}{string(r.at), source, request})
	if err != nil {
		return "", fmt.Errorf("name a session: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// sessions is a folder of saved sessions, one file each; "" is none.
type sessions string

const sessionSuffix = ".session.json"

func (s sessions) path(key string) string { return filepath.Join(string(s), key+sessionSuffix) }

// load returns a session that lasts long enough, or nil. It ignores a file that
// others can read or write.
func (s sessions) load(key string) *types.Credentials {
	if s == "" {
		return nil
	}
	return readSession(s.path(key))
}

func readSession(path string) *types.Credentials {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var c types.Credentials
	if json.Unmarshal(text, &c) != nil || c.AccessKeyId == nil || c.SecretAccessKey == nil ||
		c.SessionToken == nil || c.Expiration == nil {
		return nil
	}
	// A session that ends later than any new one comes from a clock that has
	// stepped back. It may have expired.
	if left := time.Until(*c.Expiration); left < sessionMargin || left > longestSession {
		return nil
	}
	return &c
}

// store saves a session, and deletes expired ones.
func (s sessions) store(key string, c *types.Credentials) error {
	if s == "" || c.Expiration == nil || c.SessionToken == nil {
		return nil
	}
	if err := os.MkdirAll(string(s), 0o700); err != nil {
		return err
	}
	s.sweep()
	text, err := json.Marshal(struct {
		AccessKeyId, SecretAccessKey, SessionToken *string
		Expiration                                 *time.Time
	}{c.AccessKeyId, c.SecretAccessKey, c.SessionToken, c.Expiration})
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(string(s), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), s.path(key))
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

func (s sessions) sweep() {
	files, _ := os.ReadDir(string(s))
	for _, file := range files {
		path := filepath.Join(string(s), file.Name())
		if strings.HasSuffix(file.Name(), sessionSuffix) && readSession(path) == nil {
			os.Remove(path)
		}
	}
}

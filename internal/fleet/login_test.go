package fleet

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
)

// A session of 'aws login' is used with the service that began it and no other.
// The tests of package console check that it works there.
func TestLoginSessions(t *testing.T) {
	const session = "arn:aws:iam::123456789012:user/b"
	const file = "[profile p]\nlogin_session = " + session + "\n"
	for _, test := range []struct {
		name, token, endpoint, file, want string
	}{
		{"AWS's at a Rollcall", "AQ.x", "https://iam.example.com", file, "this profile signs in at AWS"},
		{"none at a Rollcall", "", "https://iam.example.com", file, "this profile signs in at AWS"},
		{"a Rollcall's at AWS", "rollcall.x.1.y", "", file, "this profile signed in at a Rollcall"},
		// The files are incomplete, so no request is sent.
		{"a Rollcall's at a Rollcall", "rollcall.x.1.y", "https://iam.example.com", file, "missing accessToken"},
		{"AWS's at AWS", "AQ.x", "", file, "missing accessToken"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			awsEnvironment(t, test.file, "AWS_LOGIN_CACHE_DIRECTORY", dir)
			if test.token != "" {
				path, err := logincreds.StandardCachedTokenFilepath(session, dir)
				if err == nil {
					err = os.WriteFile(filepath.Clean(path), []byte(`{"refreshToken":"`+test.token+`"}`), 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			_, err := Open(t.Context(), Settings{Profile: "p", Endpoint: test.endpoint})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

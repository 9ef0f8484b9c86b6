package fleet

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const mfaProfile = "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/Audit\n" +
	"mfa_serial = arn:aws:iam::123456789012:mfa/b\nsource_profile = base\n" +
	"[profile q]\nrole_arn = arn:aws:iam::123456789012:role/Other\nmfa_serial = arn:aws:iam::123456789012:mfa/b\n" +
	"source_profile = base\n" +
	"[profile plain]\nrole_arn = arn:aws:iam::123456789012:role/Plain\nsource_profile = base\n" +
	"[profile base]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = longtermsecret\n"

// asking opens an account and returns how often it asked for a code.
func asking(t *testing.T, s Settings) int {
	t.Helper()
	n := 0
	s.MFACode = func(string) (string, error) { n++; return "123456", nil }
	if _, err := Open(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return n
}

func keptFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestSessionsAreKept(t *testing.T) {
	endpoint, _ := service(t)
	elsewhere, _ := service(t)
	awsEnvironment(t, mfaProfile)
	dir := filepath.Join(t.TempDir(), "cache", "sessions")
	s := Settings{Profile: "p", Endpoint: endpoint, Sessions: dir}
	of := func(change func(*Settings)) Settings {
		c := s
		change(&c)
		return c
	}
	steps := []struct {
		name     string
		settings Settings
		prompts  int
		kept     int // number of files afterwards
	}{
		{"none without a folder", of(func(c *Settings) { c.Sessions = "" }), 1, 0},
		{"still none", of(func(c *Settings) { c.Sessions = "" }), 1, 0},
		{"the first asks", s, 1, 1},
		{"the second does not", s, 0, 1},
		{"another role asks", of(func(c *Settings) { c.Profile = "q" }), 1, 2},
		{"another service asks", of(func(c *Settings) { c.Endpoint = elsewhere }), 1, 3},
		{"a role without MFA is not kept", of(func(c *Settings) { c.Profile = "plain" }), 0, 3},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			if n := asking(t, step.settings); n != step.prompts {
				t.Errorf("asked %d times, want %d", n, step.prompts)
			}
			if files := keptFiles(t, dir); len(files) != step.kept {
				t.Errorf("kept %v", files)
			}
		})
	}
	t.Run("other keys ask", func(t *testing.T) {
		awsEnvironment(t, strings.ReplaceAll(mfaProfile, "AKIAPROFILE", "AKIAOTHER"))
		if n := asking(t, s); n != 1 {
			t.Errorf("asked %d times", n)
		}
		awsEnvironment(t, mfaProfile)
	})
	t.Run("no one to ask is no matter while one is kept", func(t *testing.T) {
		if _, err := Open(t.Context(), s); err != nil {
			t.Error(err)
		}
	})
	t.Run("for the user alone, without the long-term secret", func(t *testing.T) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		for _, file := range keptFiles(t, dir) {
			info, err := os.Stat(file)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v", info.Mode(), err)
			}
			text, err := os.ReadFile(file)
			if err != nil || strings.Contains(string(text), "longtermsecret") ||
				strings.Contains(string(text), "AKIAPROFILE") || !strings.Contains(string(text), "ASIAROLE") {
				t.Errorf("%s, %v", text, err)
			}
		}
	})
}

func TestKeptSessionIsNotBelieved(t *testing.T) {
	endpoint, _ := service(t)
	awsEnvironment(t, mfaProfile)
	session := func(life time.Duration) string {
		return `{"AccessKeyId":"A","SecretAccessKey":"S","SessionToken":"T","Expiration":"` +
			time.Now().Add(life).UTC().Format(time.RFC3339) + `"}`
	}
	tests := []struct {
		name    string
		change  func(t *testing.T, file string)
		prompts int
	}{
		{"good", func(t *testing.T, file string) {}, 0},
		{"about to expire", func(t *testing.T, file string) { mustWriteFile(t, file, session(time.Minute)) }, 1},
		{"expired", func(t *testing.T, file string) { mustWriteFile(t, file, session(-time.Hour)) }, 1},
		{"of a clock that was ahead", func(t *testing.T, file string) {
			mustWriteFile(t, file, session(37*time.Hour))
		}, 1},
		{"nonsense", func(t *testing.T, file string) { mustWriteFile(t, file, "{") }, 1},
		{"without a token", func(t *testing.T, file string) {
			mustWriteFile(t, file, strings.Replace(session(time.Hour), "SessionToken", "X", 1))
		}, 1},
		{"open to others", func(t *testing.T, file string) {
			if err := os.Chmod(file, 0o644); err != nil {
				t.Fatal(err)
			}
		}, 1},
		{"a link", func(t *testing.T, file string) {
			if err := errors.Join(os.Rename(file, file+".x"), os.Symlink(file+".x", file)); err != nil {
				t.Fatal(err)
			}
		}, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			s := Settings{Profile: "p", Endpoint: endpoint, Sessions: dir}
			if n := asking(t, s); n != 1 {
				t.Fatalf("asked %d times", n)
			}
			test.change(t, keptFiles(t, dir)[0])
			if n := asking(t, s); n != test.prompts {
				t.Errorf("asked %d times, want %d", n, test.prompts)
			}
			if n := asking(t, s); n != 0 {
				t.Errorf("asked %d times once it was replaced", n)
			}
		})
	}
}

// A session may end early: its role was changed, or the service was emptied.
func TestKeptSessionThatIsRefused(t *testing.T) {
	var refuse bool
	assumed := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		switch {
		case form.Get("Action") == "AssumeRole":
			assumed++
			io.WriteString(w,
				`<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>`+
					`<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>`+
					time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+
					`</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`)
		case refuse:
			w.WriteHeader(403)
			io.WriteString(w, refusal("GetCallerIdentity", 403, "ExpiredToken", "over").body)
		default:
			io.WriteString(w,
				`<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>`+
					`</GetCallerIdentityResult></GetCallerIdentityResponse>`)
		}
	}))
	defer server.Close()
	awsEnvironment(t, mfaProfile)
	s := Settings{Profile: "p", Endpoint: server.URL, Sessions: t.TempDir()}
	for _, step := range []struct {
		refuse  bool
		prompts int
	}{{false, 1}, {false, 0}, {true, 1}, {false, 0}} {
		refuse = step.refuse
		if n := asking(t, s); n != step.prompts {
			t.Errorf("refused: %v: asked %d times, want %d", step.refuse, n, step.prompts)
		}
	}
	if assumed != 2 {
		t.Errorf("assumed %d times", assumed)
	}
}

func TestSessionsThatAreOverAreSweptAway(t *testing.T) {
	endpoint, _ := service(t)
	awsEnvironment(t, mfaProfile)
	dir := t.TempDir()
	mustWriteFile(t, filepath.Join(dir, "old"+sessionSuffix), `{}`)
	mustWriteFile(t, filepath.Join(dir, "someone's file"), `{}`)
	asking(t, Settings{Profile: "p", Endpoint: endpoint, Sessions: dir})
	if files := keptFiles(t, dir); len(files) != 2 || strings.HasSuffix(files[0], "old"+sessionSuffix) ||
		strings.HasSuffix(files[1], "old"+sessionSuffix) {
		t.Error(files)
	}
}

func TestSessionsCannotBeKept(t *testing.T) {
	endpoint, _ := service(t)
	awsEnvironment(t, mfaProfile)
	file := filepath.Join(t.TempDir(), "file")
	mustWriteFile(t, file, "")
	if n := asking(t, Settings{Profile: "p", Endpoint: endpoint, Sessions: file}); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func mustWriteFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

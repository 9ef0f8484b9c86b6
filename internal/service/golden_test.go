package service_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/storetest"
	"rollcall/report"
)

var update = flag.Bool("update", false, "write the golden files again")

// scene fills an account for a report.
type scene struct {
	testing.TB
	*world
}

// later moves the clock, so that every date in a report belongs to one event.
func (s scene) later() { s.clock.advance(time.Minute + time.Second) }

func (s scene) newUser(name, path string) *string {
	s.Helper()
	s.later()
	must(s, s.root.CreateUser, &iam.CreateUserInput{UserName: &name, Path: &path})
	return &name
}

func (s scene) password(user *string, reset bool) {
	s.Helper()
	s.later()
	must(s, s.root.CreateLoginProfile,
		&iam.CreateLoginProfileInput{UserName: user, Password: ptr(goodPassword), PasswordResetRequired: reset})
}

// signIn records a use of the password, as the console does.
func (s scene) signIn(user string) {
	s.Helper()
	s.later()
	db := second(s, s.world)
	db.PasswordUsed(account, user, s.clock.Now())
	if err := db.Flush(s.Context()); err != nil {
		s.Fatal(err)
	}
}

// key creates an access key that sorts before those of a higher rank, 0 to 3,
// so that the order of the columns is known. One bit of an id's 13th character
// belongs to the account, and so do all characters before it.
func (s scene) key(user *string, rank int) clients {
	s.Helper()
	s.later()
	for {
		k := must(s, s.root.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: user}).AccessKey
		if strings.Index("ABCDEFGHIJKLMNOP234567QRSTUVWXYZ", (*k.AccessKeyId)[12:13])%16/4 == rank {
			return s.as(*k.AccessKeyId, *k.SecretAccessKey)
		}
		must(s, s.root.DeleteAccessKey, &iam.DeleteAccessKeyInput{UserName: user, AccessKeyId: k.AccessKeyId})
	}
}

func (s scene) off(user *string, key clients) {
	s.Helper()
	s.later()
	must(s, s.root.UpdateAccessKey,
		&iam.UpdateAccessKeyInput{UserName: user, AccessKeyId: &key.id, Status: types.StatusTypeInactive})
}

func (s scene) certificate(user *string, status types.StatusType) {
	s.Helper()
	s.later()
	c := must(s, s.root.UploadSigningCertificate,
		&iam.UploadSigningCertificateInput{UserName: user, CertificateBody: certificate(s, s.world, "u")}).Certificate
	s.later()
	must(s, s.root.UpdateSigningCertificate,
		&iam.UpdateSigningCertificateInput{UserName: user, CertificateId: c.CertificateId, Status: status})
}

func (s scene) device(user string) {
	s.Helper()
	s.later()
	s.enabledDevice(s, user)
}

// everyState creates a user for each state that a row can show.
func everyState(s scene) {
	s.newUser("z-nothing", "/")
	s.newUser("Admin", "/")
	s.newUser("_underscore", "/")
	s.newUser("=1+1", "/")
	s.newUser("@at", "/")
	s.newUser("a,b", "/path,with/commas/")
	s.newUser("quoted", `/"/`)

	s.password(s.newUser("password", "/"), false)
	s.password(s.newUser("password-to-be-reset", "/"), true)
	s.password(s.newUser("Password-Used", "/staff/"), false)
	s.signIn("password-used")
	u := s.newUser("password-changed", "/")
	s.password(u, false)
	s.signIn(*u)
	s.later()
	must(s, s.root.UpdateLoginProfile, &iam.UpdateLoginProfileInput{UserName: u, Password: ptr(otherPassword)})
	u = s.newUser("password-deleted", "/")
	s.password(u, false)
	s.signIn(*u)
	must(s, s.root.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: u})

	s.newUser("mfa", "/")
	s.device("mfa")

	s.key(s.newUser("key-unused", "/"), 0)
	u = s.newUser("key-inactive", "/")
	s.off(u, s.key(u, 0))
	u = s.newUser("key-used-and-off", "/")
	k := s.key(u, 0)
	s.later()
	must(s, k.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
	s.off(u, k)
	u = s.newUser("keys", "/")
	one := s.key(u, 0)
	two := s.key(u, 1)
	s.later()
	_, _ = one.GetUser(s.Context(), &iam.GetUserInput{}) // denied, but a use
	s.later()
	must(s, two.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}, func(o *sts.Options) { o.Region = "cn-north-1" })
	u = s.newUser("keys-first-deleted", "/")
	one = s.key(u, 0)
	s.key(u, 1)
	must(s, s.root.DeleteAccessKey, &iam.DeleteAccessKeyInput{UserName: u, AccessKeyId: &one.id})

	s.certificate(s.newUser("certificate", "/"), types.StatusTypeActive)
	s.certificate(s.newUser("certificate-inactive", "/"), types.StatusTypeInactive)
	u = s.newUser("certificates", "/")
	s.certificate(u, types.StatusTypeActive)
	s.certificate(u, types.StatusTypeInactive)

	u = s.newUser("everything", "/a/b/")
	s.password(u, false)
	s.device(*u)
	s.key(u, 0)
	s.key(u, 1)
	s.certificate(u, types.StatusTypeActive)
	s.certificate(u, types.StatusTypeActive)
	u = s.newUser("renamed", "/")
	s.password(u, false)
	s.device(*u)
	s.key(u, 0)
	must(s, s.root.UpdateUser,
		&iam.UpdateUserInput{UserName: u, NewUserName: ptr("Bill-renamed"), NewPath: ptr("/new/")})
}

// rootWithEverything gives root everything that its row can show.
func rootWithEverything(s scene) {
	s.later()
	if err := s.IAM.SetRootPassword(s.Context(), account, seal.NewSecret(goodPassword)); err != nil {
		s.Fatal(err)
	}
	s.signIn("")
	s.later()
	phone := s.world.device(s, "root-account-mfa-device")
	must(s, s.root.EnableMFADevice, phone.enable(s, account, s.clock.Now()))
	first := s.root
	s.root = s.key(nil, 0)
	s.world.root = s.root
	s.later()
	must(s, s.root.UpdateAccessKey, &iam.UpdateAccessKeyInput{AccessKeyId: &first.id, Status: types.StatusTypeInactive})
	s.certificate(nil, types.StatusTypeActive)
}

// Golden reports are equal to AWS's recordings byte for byte.
func TestGoldenReports(t *testing.T) {
	t.Parallel()
	type golden struct {
		name    string
		spec    identity.AccountSpec
		columns int
		fill    func(scene)
	}
	cases := []golden{
		{"users", identity.AccountSpec{}, 22, everyState},
		{"root-new", identity.AccountSpec{}, 22, func(scene) {}},
		{"root-with-everything", identity.AccountSpec{}, 22, rootWithEverything},
		{"root-password-unused", identity.AccountSpec{}, 22, func(s scene) {
			if err := s.IAM.SetRootPassword(s.Context(), account, seal.NewSecret(goodPassword)); err != nil {
				s.Fatal(err)
			}
		}},
		{"china", identity.AccountSpec{Partition: "aws-cn"}, 22, func(s scene) {
			s.password(s.newUser("Wang", "/x/"), false)
		}},
		{"china-empty", identity.AccountSpec{Partition: "aws-cn"}, 22, func(scene) {}},
		{"govcloud", identity.AccountSpec{Partition: "aws-us-gov"}, 22, func(s scene) {
			s.newUser("agent", "/")
			rootWithEverything(s)
		}},
		{"password-expiry", identity.AccountSpec{}, 22, func(s scene) {
			s.password(s.newUser("before", "/"), false)
			s.later()
			must(s, s.root.UpdateAccountPasswordPolicy,
				&iam.UpdateAccountPasswordPolicyInput{MaxPasswordAge: ptr(int32(90))})
			s.password(s.newUser("after", "/"), true)
			s.newUser("without", "/")
			rootWithEverything(s)
		}},
		{"more-than-two",
			identity.AccountSpec{Limits: map[string]int{"AccessKeysPerUser": 4, "CertificatesPerUser": 3}}, 23,
			func(s scene) {
				u := s.newUser("four-and-three", "/")
				for rank := range 4 {
					s.key(u, rank)
				}
				for range 3 {
					s.certificate(u, types.StatusTypeActive)
				}
				u = s.newUser("three-keys", "/")
				s.key(u, 0)
				s.key(u, 1)
				s.key(u, 2)
				s.newUser("none", "/")
			}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := start(t, service.Config{Store: storetest.SQLite(t)})
			// Root's first key sorts before all random ones.
			c.spec.ID, c.spec.RootKeyID, c.spec.RootSecret = account, "AAAAAAAAAAAAAAAAAAAA",
				seal.NewSecret("root's own secret")
			w.rootKey = w.newAccount(t, c.spec)
			w.root = w.as(w.rootKey.ID, w.rootKey.Secret.Reveal())
			c.fill(scene{t, w})
			w.clock.advance(24 * time.Hour)
			w.waitReport(t, w.root)
			got := w.report(t, w.root).Content

			file := filepath.Join("testdata", c.name+".csv")
			if *update {
				if err := os.WriteFile(file, got, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			again(t, got, c.columns)
		})
	}
}

// again reads a report and writes it again. The result must have the same
// bytes.
func again(t testing.TB, content []byte, columns int) {
	t.Helper()
	r, err := report.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if r.Columns().Len() != columns {
		t.Errorf("%d columns", r.Columns().Len())
	}
	var out bytes.Buffer
	w := report.NewWriter(&out, r.Columns())
	for row, err := range r.All() {
		if err != nil {
			t.Fatal(err)
		}
		if err := w.WriteRow(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), content) {
		t.Errorf("read and written again:\n%s\nwas\n%s", out.Bytes(), content)
	}
}

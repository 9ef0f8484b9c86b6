package report_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/report"
)

// at reads a time with the time package, which this package does not use for
// it.
func at(s string) report.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return report.At(t)
}

func text(s string) report.Text { return report.TextOf(s) }

// user returns the row of a user without credentials, with the 22 columns.
func user(name string, change func(*report.Row)) report.Row {
	r := report.Without(report.Columns22, report.Row{
		User:    name,
		ARN:     "arn:aws:iam::123456789012:user/" + name,
		Created: at("2026-09-11T13:14:52Z"),
	})
	change(&r)
	return r
}

func root(change func(*report.Row)) report.Row {
	return user(report.RootUser, func(r *report.Row) {
		r.ARN = "arn:aws:iam::123456789012:root"
		r.Created = at("2007-10-13T16:40:00Z")
		r.PasswordNextRotation = notSupported
		change(r)
	})
}

var (
	notSupported   = report.None(report.NotSupported)
	noInformation  = report.None(report.NoInformation)
	boolNotSupport = report.NoBool(report.NotSupported)
)

// without16 removes the columns that the 16-column form does not have.
func without16(r report.Row) report.Row {
	for i := range r.Keys {
		r.Keys[i].LastUsed = report.None(report.MissingColumn)
		r.Keys[i].LastUsedRegion = report.NoText(report.MissingColumn)
		r.Keys[i].LastUsedService = report.NoText(report.MissingColumn)
	}
	return r
}

var golden = map[string][]report.Row{
	"sample-2015.csv": {
		without16(root(func(r *report.Row) {
			r.Created = at("2014-10-15T16:31:25Z")
			r.PasswordEnabled = boolNotSupport
			r.PasswordLastUsed = at("2015-04-20T17:41:10Z")
			r.PasswordLastChanged = notSupported
			r.MFAActive = report.True
		})),
		without16(user("Administrator", func(r *report.Row) {
			r.Created = at("2014-10-16T16:03:09Z")
			r.PasswordEnabled = report.True
			r.PasswordLastUsed = at("2015-04-20T15:18:32Z")
			r.PasswordLastChanged = at("2014-10-16T16:06:00Z")
			r.Keys[0] = report.Key{Active: report.True, LastRotated: at("2014-12-03T18:53:41Z")}
			r.Keys[1] = report.Key{Active: report.True, LastRotated: at("2015-03-25T20:38:14Z")}
		})),
		without16(user("Bill", func(r *report.Row) {
			r.Created = at("2015-04-15T18:27:44Z")
			r.Certificates[0].LastRotated = at("2015-04-20T20:00:12Z")
		})),
	},
	"users.csv": {
		user("bare", func(r *report.Row) { r.Created = at("2026-09-11T13:14:51Z") }),
		user("password-never-used", func(r *report.Row) {
			r.PasswordEnabled = report.True
			r.PasswordLastUsed = noInformation
			r.PasswordLastChanged = at("2026-09-11T13:14:53Z")
		}),
		user("password-expires", func(r *report.Row) {
			r.ARN = "arn:aws:iam::123456789012:user/people/password-expires"
			r.Created = at("2016-08-30T18:20:00Z")
			r.PasswordEnabled = report.True
			r.PasswordLastUsed = at("2016-10-20T20:27:00Z")
			r.PasswordLastChanged = at("2016-08-30T18:24:44Z")
			r.PasswordNextRotation = at("2016-11-28T18:24:44Z")
			r.MFAActive = report.True
		}),
		user("password-gone", func(r *report.Row) {
			r.Created = at("2015-01-02T03:04:05Z")
			r.PasswordLastUsed = noInformation
		}),
		user("password-gone-use-kept", func(r *report.Row) {
			r.Created = at("2015-01-02T03:04:05Z")
			r.PasswordLastUsed = at("2016-05-06T07:08:00Z")
		}),
		user("key-in-s3", func(r *report.Row) {
			r.Keys[0] = report.Key{
				Active: report.True, LastRotated: at("2026-09-11T13:14:54Z"),
				LastUsed: at("2026-10-01T08:09:00Z"), LastUsedService: text("s3"),
			}
		}),
		user("two-keys", func(r *report.Row) {
			r.Keys[0].LastRotated = at("2026-09-12T10:00:00Z")
			r.Keys[1] = report.Key{
				Active: report.True, LastRotated: at("2026-09-11T13:14:54Z"),
				LastUsed: at("2026-10-01T08:09:00Z"), LastUsedRegion: text("us-east-1"), LastUsedService: text("iam"),
			}
		}),
		user("certificates", func(r *report.Row) {
			r.Certificates[0].LastRotated = at("2026-09-11T13:14:55Z")
			r.Certificates[1] = report.Certificate{Active: report.True, LastRotated: at("2026-09-11T13:14:56Z")}
		}),
		user("=1+1", func(*report.Row) {}),
		user("@SUM", func(*report.Row) {}),
		user("a,b", func(*report.Row) {}),
		user("quoted-path", func(r *report.Row) {
			r.ARN = `arn:aws:iam::123456789012:user/say"hi",you/quoted-path`
		}),
	},
	"limits-raised.csv": {
		user("few", func(r *report.Row) { r.Additional = report.Text{} }),
		user("many", func(r *report.Row) {
			for i := range r.Keys {
				r.Keys[i] = report.Key{Active: report.True, LastRotated: at("2026-09-11T13:14:54Z")}
			}
			r.Certificates[0] = report.Certificate{Active: report.True, LastRotated: at("2026-09-11T13:14:55Z")}
			r.Certificates[1] = report.Certificate{Active: report.True, LastRotated: at("2026-09-11T13:14:56Z")}
			r.Additional = text(report.AdditionalCredentials(3, 1))
		}),
	},
	"root-until-2024.csv": {root(func(r *report.Row) {
		r.PasswordEnabled = boolNotSupport
		r.PasswordLastUsed = at("2016-10-20T20:27:00Z")
		r.PasswordLastChanged = notSupported
		r.MFAActive = report.True
		r.Keys[0].LastRotated = at("2007-10-13T16:49:50Z")
		r.Certificates[0] = report.Certificate{Active: report.True, LastRotated: at("2009-01-02T03:04:05Z")}
	})},
	"root-2024.csv": {root(func(r *report.Row) {
		r.PasswordEnabled = report.True
		r.PasswordLastUsed = noInformation
		r.PasswordLastChanged = notSupported
		r.MFAActive = report.True
	})},
	"root.csv": {root(func(r *report.Row) {
		r.PasswordEnabled = report.True
		r.PasswordLastUsed = at("2026-09-01T08:09:10Z")
		r.PasswordLastChanged = at("2020-02-03T04:05:06Z")
		r.MFAActive = report.True
	})},
	"root-without-password.csv": {root(func(r *report.Row) { r.Created = at("2025-01-02T03:04:05Z") })},
	"root-govcloud.csv": {root(func(r *report.Row) {
		r.ARN = "arn:aws-us-gov:iam::123456789012:root"
		r.Created = at("2019-05-06T07:08:09Z")
		r.PasswordEnabled = boolNotSupport
		r.PasswordLastUsed = notSupported
		r.PasswordLastChanged = notSupported
	})},
}

// TestGolden reads every report of testdata and writes it again.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.csv")
	must(t, err)
	if len(files) != len(golden) {
		t.Errorf("testdata has %d reports, the test knows %d", len(files), len(golden))
	}
	for name, want := range golden {
		t.Run(name, func(t *testing.T) {
			file, err := os.ReadFile(filepath.Join("testdata", name))
			must(t, err)
			r, err := report.NewReader(bytes.NewReader(file))
			must(t, err)
			var got []report.Row
			var out strings.Builder
			w := report.NewWriter(&out, r.Columns())
			for row, err := range r.All() {
				must(t, err)
				got = append(got, *row)
				must(t, w.WriteRow(row))
			}
			must(t, w.Flush())
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			// Reports until early 2024 had another form of date.
			if diff := cmp.Diff(strings.ReplaceAll(string(file), "+00:00", "Z"), out.String()); diff != "" {
				t.Errorf("written again (-want +got):\n%s", diff)
			}
		})
	}
}

package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"rollcall/internal/store"
	"rollcall/report"
)

// Reports that are assembled from patches must not mix rows of two forms. If
// this test fails, raise reportForm and update the sum.
func TestReportForm(t *testing.T) {
	const form, want = 1, "67a98cc781636516"
	key := store.CredentialKey{Active: true, Created: 1_700_000_000}
	used := store.CredentialKey{Created: 1_600_000_000, Used: 1_700_000_000, Region: "us-east-1", Service: "s3"}
	old := store.CredentialCertificate{Uploaded: 1_600_000_000}
	young := store.CredentialCertificate{Active: true, Uploaded: 1_700_000_000}
	var text []byte
	for _, partition := range []string{"aws", "aws-cn", "aws-us-gov"} {
		for _, rotation := range []int64{0, 86400} {
			for _, columns := range []report.Columns{report.Columns22, report.Columns23} {
				rows := &reportRows{columns: columns, partition: partition, root: "root", prefix: "arn", rotation: rotation}
				for _, name := range []string{"", "a,b"} {
					for n := range 8 {
						u := store.CredentialRow{NameKey: []byte(name), Name: []byte(name), Path: []byte("/p/"),
							Created: 1_500_000_000, MFA: n%2 == 0, HasPassword: n > 1, PasswordChanged: 1_650_000_000,
							PasswordUsed: []int64{0, 1_700_000_000}[n/4],
							Keys:         []store.CredentialKey{key, used, key}[:n%4],
							Certificates: []store.CredentialCertificate{young, old, young}[:n%4]}
						if rows.shows(&u) {
							text = rows.append(append(text, '\n'), &u)
						}
					}
				}
			}
		}
	}
	sum := sha256.Sum256(text)
	if got := hex.EncodeToString(sum[:8]); got != want || reportForm != form {
		t.Errorf("rows of form %d have the sum %s, want form %d and %s", reportForm, got, form, want)
	}
}

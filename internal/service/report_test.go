package service_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// waitReport asks for a report until there is one, as the documentation shows.
func (w *world) waitReport(t testing.TB, c clients) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		if must(t, c.GenerateCredentialReport, &iam.GenerateCredentialReportInput{}).State == types.ReportStateTypeComplete {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("no report within 20 s")
		}
	}
}

// report is the newest report.
func (w *world) report(t testing.TB, c clients) *iam.GetCredentialReportOutput {
	t.Helper()
	return must(t, c.GetCredentialReport, &iam.GetCredentialReportInput{})
}

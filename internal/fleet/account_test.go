package fleet

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRequest(t *testing.T) {
	tests := []struct {
		name   string
		answer answer
		want   Task
	}{
		{"started", started(), Task{"STARTED", "No report exists. Starting a new report generation task"}},
		{"complete without description", task("COMPLETE", ""), Task{State: "COMPLETE"}},
		{"in progress", task("INPROGRESS", ""), Task{State: "INPROGRESS"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := play(t, test.answer).account().Request(t.Context())
			if err != nil || got != test.want {
				t.Errorf("got %+v, %v, want %+v", got, err, test.want)
			}
		})
	}
}

func TestGet(t *testing.T) {
	generated := time.Date(2026, 9, 11, 13, 15, 19, 0, time.UTC)
	t.Run("keeps every byte", func(t *testing.T) {
		content := "user,arn\r\n\xef\xbb\xbf\x00\xff,\"a\nb\"\r\r\n\n"
		got, err := play(t, reportOf(generated, content)).account().Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if string(got.Content) != content || got.Format != "text/csv" || !got.Generated.Equal(generated) {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("uses the service's clock", func(t *testing.T) {
		// Both times are the service's, so a wrong clock on this machine does
		// not matter.
		r := &Report{Generated: generated, Fetched: generated.Add(time.Hour)}
		if r.Age() != time.Hour {
			t.Errorf("age %s", r.Age())
		}
		r.Fetched = generated.Add(-time.Second)
		if r.Age() != 0 {
			t.Errorf("age %s of a report dated within the second", r.Age())
		}
	})
	t.Run("refuses what is not an answer of IAM", func(t *testing.T) {
		_, err := play(t,
			answer{getting, 200,
				"<GetCredentialReportResponse><GetCredentialReportResult/>" +
					"</GetCredentialReportResponse>"}).account().Get(t.Context())
		if err == nil || !strings.Contains(err.Error(), "GeneratedTime") {
			t.Error(err)
		}
	})
}

func TestAt(t *testing.T) {
	generated := time.Date(2026, 9, 11, 13, 15, 19, 0, time.UTC)
	t.Run("asks with the time", func(t *testing.T) {
		r := play(t, reportOf(generated, csv))
		zone := time.FixedZone("", 2*60*60)
		got, err := r.account().At(t.Context(), generated.Add(time.Hour).In(zone))
		if err != nil || string(got.Content) != csv {
			t.Fatalf("%+v, %v", got, err)
		}
		want := map[string][]string{
			"Action": {getting}, "Version": {"2010-05-08"}, "Rollcall.At": {"2026-09-11T14:15:19Z"},
		}
		if d := cmp.Diff(want, map[string][]string(r.forms[0])); d != "" {
			t.Error(d)
		}
	})
	t.Run("takes one generated at that moment", func(t *testing.T) {
		if _, err := play(t, reportOf(generated, csv)).account().At(t.Context(), generated); err != nil {
			t.Error(err)
		}
	})
	t.Run("says of which time there is none", func(t *testing.T) {
		_, err := play(t, notPresent()).account().At(t.Context(), generated)
		want := "An error occurred (ReportNotPresent) when calling the GetCredentialReport operation: Unknown " +
			"(there is no report of " + generated.UTC().Format(time.RFC3339) + " or before)"
		if got, ok := ServiceError(err); !ok || got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	t.Run("refuses a later one of a service without history", func(t *testing.T) {
		_, err := play(t, reportOf(generated, csv)).account().At(t.Context(), generated.Add(-time.Second))
		if !errors.Is(err, ErrNoHistory) {
			t.Error(err)
		}
	})
}

func TestServiceError(t *testing.T) {
	tests := []struct {
		name   string
		answer answer
		want   string
	}{
		{"no message element", notPresent(),
			"An error occurred (ReportNotPresent) when calling the GetCredentialReport operation: Unknown " +
				"(there is no report)"},
		{"in progress", notReady(),
			"An error occurred (ReportInProgress) when calling the GetCredentialReport operation: Unknown " +
				"(the report is being generated)"},
		{"unmodelled, no message", refusal(getting, 403, "Strange", ""),
			"An error occurred (Strange) when calling the GetCredentialReport operation: Unknown"},
		{"message", refusal(getting, 403, "AccessDenied", "User: x is not authorized"),
			"An error occurred (AccessDenied) when calling the GetCredentialReport operation: User: x is not " +
				"authorized"},
		{"repeated", throttled(getting),
			"An error occurred (Throttling) when calling the GetCredentialReport operation (reached max retries: 2): " +
				"Rate exceeded"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := play(t, test.answer).account().Get(t.Context())
			if got, ok := ServiceError(err); !ok || got != test.want {
				t.Errorf("got %q, %v\nwant %q", got, ok, test.want)
			}
		})
	}
	t.Run("not one of the service", func(t *testing.T) {
		if text, ok := ServiceError(errors.New("x")); ok {
			t.Error(text)
		}
	})
}

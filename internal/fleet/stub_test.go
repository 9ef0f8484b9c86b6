package fleet

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// recorded plays answers of the service in turn, repeats the last one, and
// records the requests. It is the transport itself, so time can be synthetic.
type recorded struct {
	t       *testing.T
	answers []answer
	asked   []string // the requested actions
	at      []time.Duration
	forms   []url.Values
	start   time.Time
}

type answer struct {
	action string // the expected action
	status int
	body   string
}

func play(t *testing.T, answers ...answer) *recorded {
	return &recorded{t: t, answers: answers, start: time.Now()}
}

func (r *recorded) Do(request *http.Request) (*http.Response, error) {
	if err := request.Context().Err(); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	r.asked = append(r.asked, form.Get("Action"))
	r.at = append(r.at, time.Since(r.start))
	r.forms = append(r.forms, form)
	next := r.answers[0]
	if len(r.answers) > 1 {
		r.answers = r.answers[1:]
	}
	if next.action != form.Get("Action") {
		r.t.Errorf("call %d is %s, want %s", len(r.asked), form.Get("Action"), next.action)
	}
	return &http.Response{
		StatusCode: next.status, ProtoMajor: 1, ProtoMinor: 1, Request: request,
		Header: http.Header{
			"Content-Type": {"text/xml"}, "Date": {time.Now().UTC().Format(http.TimeFormat)},
			"X-Amzn-Requestid": {"bdeddc97-b31b-11e6-b00d-4d3e5ee3c2da"},
		},
		Body: io.NopCloser(strings.NewReader(next.body)),
	}, nil
}

// account returns an account behind the recording.
func (r *recorded) account() *Account {
	return New(aws.Config{
		Region: "us-east-1", HTTPClient: r,
		Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
	}, "")
}

const (
	generate = "GenerateCredentialReport"
	getting  = "GetCredentialReport"
)

// task returns an answer to GenerateCredentialReport with AWS's bytes.
func task(state, description string) answer {
	if description != "" {
		description = "    <Description>" + description + "</Description>\n"
	}
	return answer{generate, 200, `<GenerateCredentialReportResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
  <GenerateCredentialReportResult>
` + description + `    <State>` + state + `</State>
  </GenerateCredentialReportResult>
  <ResponseMetadata>
    <RequestId>bdeddc97-b31b-11e6-b00d-4d3e5ee3c2da</RequestId>
  </ResponseMetadata>
</GenerateCredentialReportResponse>
`}
}

func started() answer {
	return task("STARTED", "No report exists. Starting a new report generation task")
}

// reportOf returns an answer to GetCredentialReport.
func reportOf(generated time.Time, csv string) answer {
	return answer{getting, 200, `<GetCredentialReportResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
  <GetCredentialReportResult>
    <Content>` + base64.StdEncoding.EncodeToString([]byte(csv)) + `</Content>
    <ReportFormat>text/csv</ReportFormat>
    <GeneratedTime>` + generated.UTC().Format(time.RFC3339) + `</GeneratedTime>
  </GetCredentialReportResult>
  <ResponseMetadata>
    <RequestId>bdeddc97-b31b-11e6-b00d-4d3e5ee3c2da</RequestId>
  </ResponseMetadata>
</GetCredentialReportResponse>
`}
}

// refusal returns an error answer. Without a message it has no Message element,
// like AWS's answer if there is no report.
func refusal(action string, status int, code, message string) answer {
	if message != "" {
		message = "\n    <Message>" + message + "</Message>"
	}
	return answer{action, status, fmt.Sprintf(`<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
  <Error>
    <Type>Sender</Type>
    <Code>%s</Code>%s
  </Error>
  <RequestId>bdeddc97-b31b-11e6-b00d-4d3e5ee3c2da</RequestId>
</ErrorResponse>
`, code, message)}
}

func notPresent() answer { return refusal(getting, 410, "ReportNotPresent", "") }
func notReady() answer   { return refusal(getting, 404, "ReportInProgress", "") }
func expired() answer    { return refusal(getting, 410, "ReportExpired", "") }
func noCapacity() answer {
	return refusal(generate, 409, "LimitExceeded", "No more capacity to launch new report generation tasks")
}
func throttled(action string) answer { return refusal(action, 400, "Throttling", "Rate exceeded") }

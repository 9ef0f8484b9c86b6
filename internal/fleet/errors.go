package fleet

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// ServiceError returns an error of a service in the words of the AWS CLI. ok is
// false for any other error.
func ServiceError(err error) (text string, ok bool) {
	var answer smithy.APIError
	var op *smithy.OperationError
	if !errors.As(err, &answer) || !errors.As(err, &op) {
		return "", false
	}
	message := answer.ErrorMessage()
	if message == "" || message == "UnknownError" {
		message = "Unknown" + meaning(err, answer.ErrorCode()) // botocore's word if an answer has no Message
	}
	tries := ""
	var most *retry.MaxAttemptsError
	if errors.As(err, &most) && most.Attempt > 1 {
		tries = fmt.Sprintf(" (reached max retries: %d)", most.Attempt-1)
	}
	return fmt.Sprintf("An error occurred (%s) when calling the %s operation%s: %s",
		answer.ErrorCode(), op.OperationName, tries, message), true
}

// meaning says what an error code means that comes without a message.
func meaning(err error, code string) string {
	var none *noneAtError
	switch {
	case errors.As(err, &none):
		return " (there is no report of " + none.at.UTC().Format(time.RFC3339) + " or before)"
	case code == (&types.CredentialReportNotPresentException{}).ErrorCode():
		return " (there is no report)"
	case code == (&types.CredentialReportExpiredException{}).ErrorCode():
		return " (the report has expired)"
	case code == (&types.CredentialReportNotReadyException{}).ErrorCode():
		return " (the report is being generated)"
	}
	return ""
}

// noneAtError says that a service has no report of a time or before.
type noneAtError struct {
	at  time.Time
	err error
}

func (e *noneAtError) Error() string { return e.err.Error() }
func (e *noneAtError) Unwrap() error { return e.err }

// unansweredError says that a request got no answer, or an unreadable one, in
// fewer words than the SDK.
type unansweredError struct {
	text string
	err  error
}

func (e *unansweredError) Error() string { return e.text }
func (e *unansweredError) Unwrap() error { return e.err }

// plain shortens the SDK's error for a request that got no answer or an
// unreadable one.
func plain(err error) error {
	var unread *smithy.DeserializationError
	var op *smithy.OperationError
	if errors.As(err, &unread) && errors.As(err, &op) {
		why := "it cannot be read; see --endpoint-url"
		if strings.Contains(unread.Error(), "unable to parse time string") {
			why = "a time in it cannot be read"
		}
		return &unansweredError{fmt.Sprintf("the answer to %s is not one of IAM's: %s", op.OperationName, why), err}
	}
	var known smithy.APIError
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) && answer.HTTPStatusCode() != 0 && errors.As(err, &op) && !errors.As(err, &known) {
		return &unansweredError{
			fmt.Sprintf("the answer to %s is not one of IAM's: it has the status %d and no error of IAM's in it;"+
				" see --endpoint-url", op.OperationName, answer.HTTPStatusCode()), err}
	}
	var sent *smithyhttp.RequestSendError
	if !errors.As(err, &sent) {
		return err
	}
	var u *url.Error
	if errors.As(sent, &u) {
		return &unansweredError{"cannot reach " + u.URL + ": " + obstacle(u.Err), err}
	}
	return &unansweredError{fmt.Sprintf("request not sent: %v", sent.Err), err}
}

// obstacle says in few words why a request did not reach its service, and what
// to try.
func obstacle(err error) string {
	var name *net.DNSError
	var stranger x509.UnknownAuthorityError
	var plainHTTP tls.RecordHeaderError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused; start the service, or name another with --endpoint-url"
	case errors.As(err, &name) && name.IsNotFound:
		return "there is no host " + name.Name + "; see --endpoint-url"
	case errors.As(err, &stranger):
		return err.Error() + "; name the file of its authority with --ca-bundle"
	case errors.As(err, &plainHTTP), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return err.Error() + "; a service without TLS has a URL that begins with http://"
	}
	return err.Error()
}

// situation is the meaning of an error of the two report actions for a client
// that waits for a report.
type situation int

const (
	failed     situation = iota // waiting does not help
	absent                      // there is no report, or it is too old
	inProgress                  // a report is being generated
	busy                        // the service is busy at the moment
)

func situationOf(err error) situation {
	var answer smithy.APIError
	if !errors.As(err, &answer) {
		return failed
	}
	switch answer.ErrorCode() {
	case (&types.CredentialReportNotPresentException{}).ErrorCode(),
		(&types.CredentialReportExpiredException{}).ErrorCode():
		return absent
	case (&types.CredentialReportNotReadyException{}).ErrorCode():
		return inProgress
	case (&types.LimitExceededException{}).ErrorCode():
		return busy
	}
	if _, ok := retry.DefaultThrottleErrorCodes[answer.ErrorCode()]; ok {
		return busy
	}
	return failed
}

// passing says whether a repetition of a failed call may succeed, by the SDK's
// rules for retries.
func passing(err error) bool {
	return retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary || isTimeout(err)
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// denied says whether an error means that the caller lacks permission.
func denied(err error) bool {
	var answer smithy.APIError
	if !errors.As(err, &answer) {
		return false
	}
	switch answer.ErrorCode() {
	case "AccessDenied", "AccessDeniedException":
		return true
	}
	return false
}

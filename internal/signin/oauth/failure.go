package oauth

import (
	"context"
	"errors"
	"net/http"
	"time"

	"rollcall/internal/awsmodel"
)

// Failure is an error of the token endpoint in the form that its clients
// expect.
type Failure struct {
	Status  int
	Type    string // the header x-amzn-errortype
	Code    string // the member error
	Message string
	// RetryAfter is the time to wait, if the client should retry later.
	RetryAfter time.Duration
}

func (f *Failure) Error() string { return f.Type + " (" + f.Code + "): " + f.Message }

func denied(status int, code, message string) *Failure {
	return &Failure{Status: status, Type: "AccessDeniedException", Code: code, Message: message}
}

func invalid(message string) *Failure {
	return &Failure{Status: http.StatusBadRequest, Type: "ValidationException", Code: "INVALID_REQUEST", Message: message}
}

// The failures. The text of errGrant is AWS's. The others are ours.
var (
	errGrant = invalid("The provided authorization grant is invalid, expired, revoked, or malformed")
	errDPoP  = invalid("The DPoP proof is missing, invalid, too old, or was used before")

	errCodeExpired  = denied(http.StatusUnauthorized, "AUTHCODE_EXPIRED", "The authorization code has expired.")
	errTokenExpired = denied(http.StatusUnauthorized, "TOKEN_EXPIRED", "The refresh token has expired.")
	errChanged      = denied(http.StatusForbidden, "USER_CREDENTIALS_CHANGED", "The user's credentials have changed.")
	errNotPermitted = denied(http.StatusForbidden, "INSUFFICIENT_PERMISSIONS",
		"The user is not authorized to perform: signin:CreateOAuth2Token")
)

// Paused returns the failure for a request that comes too early.
func Paused(wait time.Duration) *Failure {
	return &Failure{Status: http.StatusTooManyRequests, Type: "TooManyRequestsError", Code: "INVALID_REQUEST",
		Message: "There were too many requests. Try again later.", RetryAfter: wait}
}

// failure returns the part of an error that the client may see. Internal
// details go to the log.
func (s *Service) failure(ctx context.Context, err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	var known *awsmodel.Error
	if errors.As(err, &known) {
		switch known.Code {
		case "AccessDenied":
			return errNotPermitted
		case "InvalidClientTokenId", "ExpiredToken":
			return errTokenExpired // the person or role no longer exists
		}
	}
	s.log.ErrorContext(ctx, "no credentials given to a tool", "error", err)
	return &Failure{Status: http.StatusInternalServerError, Type: "InternalServerException", Code: "server_error",
		Message: "The request has failed because of an error of the server."}
}

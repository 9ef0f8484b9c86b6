package awsmodel

import "fmt"

// Error is the one error a client may see: a code of the IAM or STS API and
// the sentence that goes with it. Every other error becomes ServiceFailure,
// its text only in the log.
type Error struct {
	// Code is the wire code, for example "EntityAlreadyExists".
	Code string
	// Message is the sentence of the answer. Empty means that the answer has
	// no Message element at all, as ReportNotPresent has none.
	Message string
}

// Fail returns an Error with a formatted message.
func Fail(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string {
	if e.Message == "" {
		return e.Code
	}
	return e.Code + ": " + e.Message
}

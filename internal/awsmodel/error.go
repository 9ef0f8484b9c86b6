package awsmodel

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
)

// Error is the only error that a client may see: a code of the IAM or STS API
// and its sentence. Every other error becomes ServiceFailure, and its text only
// goes to the log.
type Error struct {
	// Code is the wire code, for example "EntityAlreadyExists".
	Code string
	// Message is the sentence of the answer. If it is empty, the answer has no
	// Message element, as for ReportNotPresent.
	Message string
	// Reason is the Reason of an InvalidInputException of Organizations. It may be
	// empty.
	Reason string
	// Encoded is the text for DecodeAuthorizationMessage if a call was denied.
	// It goes into a header of the answer.
	Encoded string
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

// Status returns the HTTP status of the error's code.
func (e *Error) Status() int { return Status(e.Code) }

// Fault returns the Type element of an answer: "Sender" for a status below 500,
// "Receiver" for the rest.
func (e *Error) Fault() string {
	if e.Status() < http.StatusInternalServerError {
		return "Sender"
	}
	return "Receiver"
}

// Status returns the HTTP status of an error code: the one in the model, or
// that of a code that every action may answer. An unknown code is a mistake of
// this server, and gets 500.
func Status(code string) int {
	if status, ok := generalStatuses[code]; ok {
		return status
	}
	if status, ok := loaded().statuses[code]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// Exception returns the name under which CloudTrail records an error code: that
// of the exception in AWS's model, NoSuchEntityException for NoSuchEntity. A
// code that every action may answer has no exception and is its own name, and so
// is a code that is not AWS's. Source: records of IAM in public collections, and
// rules of SIEM products that look for MalformedPolicyDocumentException (G for
// the other codes).
func Exception(code string) string {
	if _, general := generalStatuses[code]; general {
		return code
	}
	return cmp.Or(loaded().exceptions[code], code)
}

// TypedException is Exception for a code that a person typed, in any case. It
// returns "" for what is no code of AWS's model.
func TypedException(typed string) string {
	for code, exception := range loaded().exceptions {
		if strings.EqualFold(code, typed) {
			return exception
		}
	}
	return ""
}

// Known reports whether AWS uses the code.
func Known(code string) bool {
	_, general := generalStatuses[code]
	_, ofModel := loaded().statuses[code]
	return general || ofModel
}

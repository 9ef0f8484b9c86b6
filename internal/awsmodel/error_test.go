package awsmodel

import "testing"

func TestStatus(t *testing.T) {
	for code, want := range map[string]int{
		"NoSuchEntity": 404, "EntityAlreadyExists": 409, "DeleteConflict": 409, "LimitExceeded": 409,
		"ReportNotPresent": 410, "ReportExpired": 410, "ReportInProgress": 404, "InvalidAuthenticationCode": 403,
		"InvalidInput": 400, "MalformedCertificate": 400, "DuplicateCertificate": 409, "DuplicateSSHPublicKey": 400,
		"EntityTemporarilyUnmodifiable": 409, "NotSupportedService": 404, "PasswordPolicyViolation": 400,
		"IncompleteSignature": 400, "MalformedQueryString": 400, "MissingAuthenticationToken": 403,
		"InvalidClientTokenId": 403, "SignatureDoesNotMatch": 403, "ExpiredToken": 403, "AccessDenied": 403,
		"Throttling": 400, "ValidationError": 400, "InvalidAction": 400, "MalformedInput": 400,
		"ServiceUnavailable": 503, "InternalFailure": 500, "ServiceFailure": 500, "RequestEntityTooLarge": 413,
		"IDPRejectedClaim": 403, "OrganizationNotFoundException": 400, "NoSuchCode": 500,
	} {
		if got := Status(code); got != want {
			t.Errorf("%s: got %d, want %d", code, got, want)
		}
		if Known(code) != (code != "NoSuchCode") {
			t.Errorf("%s: known is wrong", code)
		}
	}
}

// The code that CloudTrail records is the name of the exception.
func TestException(t *testing.T) {
	for code, want := range map[string]string{
		"NoSuchEntity": "NoSuchEntityException", "ReportNotPresent": "CredentialReportNotPresentException",
		"NotSupportedService": "ServiceNotSupportedException", "IDPRejectedClaim": "IDPRejectedClaimException",
		"ExpiredTokenException": "ExpiredTokenException", "AccessDenied": "AccessDenied", "Throttling": "Throttling",
		"ValidationError": "ValidationError", "ServiceFailure": "ServiceFailure", "OperatorActFailed": "OperatorActFailed",
	} {
		if got := Exception(code); got != want {
			t.Errorf("%s: got %s, want %s", code, got, want)
		}
	}
}

func TestTypedException(t *testing.T) {
	for typed, want := range map[string]string{
		"reportnotpresent": "CredentialReportNotPresentException", "NoSuchEntity": "NoSuchEntityException",
		"ok": "", "AccessDenied": "",
	} {
		if got := TypedException(typed); got != want {
			t.Errorf("%s: got %q, want %q", typed, got, want)
		}
	}
}

func TestErrorFault(t *testing.T) {
	if got := Fail("ReportNotPresent", "").Fault(); got != "Sender" {
		t.Errorf("410 is the fault of the %s", got)
	}
	if got := Fail("ServiceFailure", "").Fault(); got != "Receiver" {
		t.Errorf("500 is the fault of the %s", got)
	}
}

func TestErrorText(t *testing.T) {
	if got := Fail("ReportNotPresent", "").Error(); got != "ReportNotPresent" {
		t.Errorf("without a message: %q", got)
	}
	if got := Fail("NoSuchEntity", "The user with name %s cannot be found.", "u").Error(); got != "NoSuchEntity: The "+
		"user with name u cannot be found." {
		t.Errorf("with a message: %q", got)
	}
}

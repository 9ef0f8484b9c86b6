package enrich

import (
	"errors"
	"fmt"

	"github.com/aws/smithy-go"
)

// gone says whether an error means that the user does not exist.
func gone(err error) bool { return codeOf(err) == "NoSuchEntity" }

// denied says whether an error means that the caller lacks permission.
func denied(err error) bool {
	code := codeOf(err)
	return code == "AccessDenied" || code == "AccessDeniedException"
}

func codeOf(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return ""
	}
	return api.ErrorCode()
}

// errNotWhole says that an answer lacks something required. A missing fact is
// not a negative fact.
var errNotWhole = errors.New("the answer is incomplete")

// whole returns an error for a page that says that more follows but has no
// marker.
func whole(truncated bool, marker *string) error {
	if truncated && (marker == nil || *marker == "") {
		return fmt.Errorf("%w: it is truncated and has no Marker", errNotWhole)
	}
	return nil
}

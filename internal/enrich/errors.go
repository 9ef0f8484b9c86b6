package enrich

import (
	"errors"
	"fmt"

	"github.com/aws/smithy-go"
)

// gone says that the service knows no such user.
func gone(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "NoSuchEntity"
}

// errNotWhole is the cause of an error where an answer leaves out what it has to
// have. What is not there is not taken for what is not so.
var errNotWhole = errors.New("the answer is incomplete")

// whole refuses a page that says that more comes, and not how to ask for it.
func whole(truncated bool, marker *string) error {
	if truncated && (marker == nil || *marker == "") {
		return fmt.Errorf("%w: it is truncated and has no Marker", errNotWhole)
	}
	return nil
}

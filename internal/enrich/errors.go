package enrich

import (
	"errors"
	"fmt"

	"github.com/aws/smithy-go"
)

// gone says whether an error means that the user does not exist.
func gone(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "NoSuchEntity"
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

package enrich

import (
	"errors"

	"github.com/aws/smithy-go"
)

// gone says that the service knows no such user.
func gone(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "NoSuchEntity"
}

//go:build !unix

package seal

import "errors"

var errMounted = errors.New("the file is mounted")

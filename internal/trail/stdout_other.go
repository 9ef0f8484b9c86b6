//go:build !unix

package trail

import "os"

func standardOutput() (*os.File, error) { return os.Stdout, nil }

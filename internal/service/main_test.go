package service_test

import (
	"os"
	"testing"

	"rollcall/internal/testrun"
)

func TestMain(m *testing.M) {
	os.Exit(testrun.AtOnce(4, m).Run())
}

package console_test

import (
	"os"
	"testing"

	"rollcall/internal/browsertest"
	"rollcall/internal/testrun"
)

func TestMain(m *testing.M) {
	os.Exit(browsertest.Main(testrun.AtOnce(4, m)))
}

package console_test

import (
	"flag"
	"os"
	"testing"

	"rollcall/internal/browsertest"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// Most tests do not wait for a processor.
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	os.Exit(browsertest.Main(m))
}

package review

import (
	"os"
	"testing"

	"rollcall/internal/browsertest"
)

func TestMain(m *testing.M) { os.Exit(browsertest.Main(m)) }

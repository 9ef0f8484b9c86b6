package terraform

import (
	"testing"

	"rollcall/internal/e2e/e2etest"
)

func TestMain(m *testing.M) { e2etest.Main(m) }

package official_test

import (
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

func TestMain(m *testing.M) { magpietest.Main(m) }

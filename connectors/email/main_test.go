package email_test

import (
	"testing"

	"hearback/connectors/email/mailtest"
)

func TestMain(m *testing.M) { mailtest.Main(m) }

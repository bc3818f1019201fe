package usersig

import (
	"errors"
	"strings"
	"testing"
)

// A signature that can be unpacked says which of its fields is wrong, and a time in milliseconds that it may be that.
func TestFieldErrors(t *testing.T) {
	for _, row := range []struct{ doc, from, to, field, why string }{
		{docHMAC, "1700000000", "1700000000000", "TLS.time", "milliseconds"},
		{docHMAC, "1700000000", `"1700000000000"`, "TLS.time", "milliseconds"},
		{docHMAC, "3600", "99999999999", "TLS.expire", "milliseconds"},
		{docECDSA, `"1700000000"`, `"1700000000000"`, "TLS.time", "milliseconds"},
		{docECDSA, `"3600"`, `"15552000000"`, "TLS.expire_after", "milliseconds"},
		{docHMAC, "1700000000", "99999999999999999999", "TLS.time", "whole number"},
		{docHMAC, "3600", "3600.5", "TLS.expire", "whole number"},
		{docHMAC, "1400000000", "4294967296", "TLS.sdkappid", "whole number"},
		{docHMAC, `"alice"`, "7", "TLS.identifier", "not a string"},
		{docHMAC, `"2.0"`, `"3.0"`, "TLS.ver", "unknown"},
	} {
		changed := strings.Replace(row.doc, row.from, row.to, 1)
		if changed == row.doc {
			t.Fatalf("%s is not in %s", row.from, row.doc)
		}
		_, err := Parse(repack(t, changed))
		var field *FieldError
		if !errors.As(err, &field) || !errors.Is(err, ErrMalformed) || field.Field != row.field || !strings.Contains(field.Why, row.why) {
			t.Errorf("%s for %s: %v, want %s and %q", row.to, row.from, err, row.field, row.why)
		}
	}
	if _, err := Parse("eJ"); errors.As(err, new(*FieldError)) {
		t.Errorf("what cannot be unpacked has no fields: %v", err)
	}
}

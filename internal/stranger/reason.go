package stranger

import "github.com/magpie-im/magpie/internal/im"

// Reason names why a login or a REST signature was refused, for logs and metrics. It is "" for a code that says nothing of
// who asks, or of his application.
func Reason(code im.Code) string {
	switch code {
	case im.CodeAppUnknown:
		return "app-unknown"
	case im.CodeNotAppAdmin:
		return "not-administrator"
	case im.CodeSigEmpty:
		return "usersig-missing"
	case im.CodeSigMalformed:
		return "usersig-malformed"
	case im.CodeSigExpired:
		return "usersig-expired"
	case im.CodeSigMismatch:
		return "usersig-mismatch"
	case im.CodeSigWrongUser:
		return "usersig-wrong-user"
	case im.CodeSigWrongApp:
		return "usersig-wrong-app"
	case im.CodeSigNoKey:
		return "usersig-no-key"
	case im.CodeSigRevoked:
		return "usersig-revoked"
	}
	return ""
}

package stranger

import "github.com/magpie-im/magpie/internal/im"

// Reason names why a login or a REST signature was refused, for logs and metrics. It is "" for a code that says nothing of
// who asks, or of his application.
func Reason(code im.Code) string {
	return map[im.Code]string{
		im.CodeAppUnknown:   "app-unknown",
		im.CodeAppDisabled:  "app-disabled",
		im.CodeNotAppAdmin:  "not-administrator",
		im.CodeSigEmpty:     "usersig-missing",
		im.CodeSigMalformed: "usersig-malformed",
		im.CodeSigExpired:   "usersig-expired",
		im.CodeSigMismatch:  "usersig-mismatch",
		im.CodeSigWrongUser: "usersig-wrong-user",
		im.CodeSigWrongApp:  "usersig-wrong-app",
		im.CodeSigNoKey:     "usersig-no-key",
		im.CodeSigRevoked:   "usersig-revoked",
	}[code]
}

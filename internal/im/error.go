package im

import (
	"errors"
	"fmt"
)

// Code is an error number of the reference system (docs/protocol/errors.md). Zero is success.
type Code int

// Error is a refusal that the caller is meant to see. Anything else that a handler returns is internal: it is logged
// whole and the caller gets only its family's code for "internal error" and a trace id.
type Error struct {
	Code Code
	Info string
}

// Error joins code and sentence.
func (e *Error) Error() string { return fmt.Sprintf("%d: %s", e.Code, e.Info) }

// Errorf makes a refusal with a sentence that helps the caller to mend his request.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Info: fmt.Sprintf(format, args...)}
}

// Refusal returns the refusal inside err, if there is one.
func Refusal(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// Family gives the codes that one service of the reference system uses for the failures that every service has.
type Family struct {
	BadJSON   Code // the body is not JSON
	BadField  Code // a field is missing, of the wrong type or out of range
	NoAccount Code // an account that the request names does not exist
	NotAdmin  Code // the caller may not do this
	Internal  Code // our own fault
}

// FamilyAccount returns the account service's codes.
func FamilyAccount() Family {
	return Family{CodeAccountParameter, CodeAccountParameter, CodeAccountUnknown, CodeAccountNotAdmin, CodeAccountInternal}
}

// FamilyMessage returns the one-to-one message service's codes.
func FamilyMessage() Family {
	return Family{CodeMessageBadJSON, CodeMessageFormat, CodeMessageNoAccount, CodeMessageNotAdmin, CodeMessageInternal}
}

// FamilyGroup returns the group service's codes.
func FamilyGroup() Family {
	return Family{CodeGroupBadJSON, CodeGroupParameter, CodeGroupAccount, CodeGroupRights, CodeGroupInternal}
}

package usersig

import (
	"errors"
	"fmt"
)

// Why a signature was not accepted or not made. The functions of this package wrap these, so compare with [errors.Is]. Each
// names the code with which the reference system reports it. The texts never repeat a key or a field of the signature.
var (
	// ErrEmpty: there is no signature at all. Code 70002.
	ErrEmpty = errors.New("usersig: empty signature")
	// ErrMalformed: the text is not a UserSig: cut short, too long, of an unknown version, with a field missing, doubled or
	// out of range. Code 70003 (the reference uses 70005 for the same at another place). Signing returns it for claims which
	// no reader would accept.
	ErrMalformed = errors.New("usersig: malformed signature")
	// ErrExpired: the signature is genuine, and its lifetime has passed. Code 70001.
	ErrExpired = errors.New("usersig: signature expired")
	// ErrBadSignature: it was not made with the app's key, or was changed afterwards. Code 70009.
	ErrBadSignature = errors.New("usersig: signature does not match the key")
	// ErrWrongUser: it is for another user than the one who shows it. Code 70013.
	ErrWrongUser = errors.New("usersig: signature is for another user")
	// ErrWrongApp: it is for another app than the one it is shown to. Code 70014.
	ErrWrongApp = errors.New("usersig: signature is for another app")
	// ErrNoKey: there is no usable key for this format of signature: none is configured, or its text cannot be read. Code
	// 70016.
	ErrNoKey = errors.New("usersig: no usable key")
)

// FieldError is an [ErrMalformed] about one field of a signature that could be unpacked: the app's generator is at fault, and
// not what carried the text.
type FieldError struct {
	// Field is the name of the member, such as "TLS.time".
	Field string
	// Why ends the sentence that Field begins. It does not repeat the value.
	Why string
}

// Error names the field.
func (e *FieldError) Error() string { return ErrMalformed.Error() + ": " + e.Field + " " + e.Why }

// Unwrap gives ErrMalformed.
func (e *FieldError) Unwrap() error { return ErrMalformed }

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
}

func noKey(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrNoKey}, args...)...)
}

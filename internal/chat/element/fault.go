package element

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/magpie-im/magpie/internal/im"
)

// fault is what is wrong with a body and where. The path is put together on the way out, innermost first.
type fault struct {
	code im.Code // zero: a fault of the body or the element
	path string  // "[0].MsgContent.Text"
	what string  // "is missing"
}

// Error is the sentence of the refusal.
func (f *fault) Error() string { return "MsgBody" + f.path + " " + f.what }

func faultf(format string, args ...any) *fault { return &fault{what: fmt.Sprintf(format, args...)} }

func missing() *fault { return &fault{what: "is missing"} }

// inField adds the name of a member to the path of a fault; any other error and none pass through.
func inField(name string, err error) error {
	if err == nil {
		return nil
	}
	return under("."+name, err)
}

func inIndex(i int, err error) error {
	if err == nil {
		return nil
	}
	return under("["+strconv.Itoa(i)+"]", err)
}

func under(step string, err error) error {
	var f *fault
	if errors.As(err, &f) {
		f.path = step + f.path
		return f
	}
	return err
}

// inMsgContent marks a fault as one of a MsgContent.
func inMsgContent(err error) error {
	if err == nil {
		return nil
	}
	var f *fault
	if errors.As(err, &f) && f.code == 0 {
		f.code = im.CodeMessageFormat
	}
	return err
}

// refusal makes the error of a reading into the refusal of the command.
func refusal(err error) *im.Error {
	var f *fault
	switch {
	case errors.As(err, &f) && f.code == 0:
		return im.Errorf(im.CodeMessageBody, "%s", f.Error())
	case f != nil:
		return im.Errorf(f.code, "%s", f.Error())
	case errors.Is(err, jsontext.ErrDuplicateName):
		return im.Errorf(im.CodeMessageBody, "MsgBody has two members of one name in an object")
	default:
		return im.Errorf(im.CodeMessageBadJSON, "MsgBody is not JSON")
	}
}

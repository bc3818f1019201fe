package webhook

import (
	"errors"
	"fmt"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// Answer is what a back end said to a callback that blocks. The zero Answer lets everything pass unchanged.
type Answer struct {
	// Silent drops the operation, and the caller sees success.
	Silent bool
	// Refused says that the back end itself forbade the operation; the error beside it is what the caller gets.
	Refused bool
	raw     []byte
}

// Read reads the answer's further fields, as a rule may offer them.
func (a *Answer) Read(into any) error {
	if len(a.raw) == 0 {
		return nil
	}
	return wire.Unmarshal(a.raw, into)
}

type answerHead struct {
	ErrorCode *im.Code `json:"ErrorCode"`
	ErrorInfo string   `json:"ErrorInfo"`
}

var errNoVerdict = errors.New("webhook: the back end's answer has no ErrorCode")

// judge reads the verdict (docs/protocol/webhooks.md#result-codes). A code that the interface gives no meaning is an
// error like any other senseless answer.
func (b Before[T]) judge(body []byte) (Answer, error) {
	var head answerHead
	if err := wire.Unmarshal(body, &head); err != nil {
		return Answer{}, err
	}
	if head.ErrorCode == nil {
		return Answer{}, errNoVerdict
	}
	const refuse, silence = 1, 2
	switch code := *head.ErrorCode; {
	case code == im.CodeOK:
		return Answer{raw: body}, nil
	case code == refuse:
		return Answer{Refused: true}, im.Errorf(b.spec.Refused, "the application's back end refused it")
	case code == silence && b.spec.MaySilence:
		return Answer{Silent: true}, nil
	case b.spec.Low <= code && code <= b.spec.High:
		return Answer{Refused: true}, im.Errorf(code, "%s", wire.Text(head.ErrorInfo))
	default:
		return Answer{}, fmt.Errorf("webhook: the back end answered with ErrorCode %d, which means nothing here", code)
	}
}

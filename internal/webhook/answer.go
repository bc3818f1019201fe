package webhook

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// Answer is a back end's answer to a callback that blocks. The zero Answer lets the operation pass unchanged.
type Answer struct {
	// Silent drops the operation, and the actor sees success.
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
	Code resultCode `json:"ErrorCode"`
	Info infoText   `json:"ErrorInfo"`
}

// resultCode reads a whole number, also as text or with a point, as some languages write it. null is no code.
type resultCode struct {
	code  im.Code
	given bool
}

// UnmarshalJSON refuses what is no whole number.
func (r *resultCode) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	var words string
	if wire.Unmarshal(text, &words) == nil {
		text = []byte(strings.TrimSpace(words))
	}
	n, err := strconv.ParseFloat(string(text), 64)
	if err != nil || n != math.Trunc(n) || math.Abs(n) > math.MaxInt32 {
		return errCode
	}
	r.code, r.given = im.Code(n), true
	return nil
}

// infoText reads text. A value of another type counts as an empty text, so that the refusal stays one.
type infoText string

// UnmarshalJSON never fails.
func (i *infoText) UnmarshalJSON(text []byte) error {
	var words string
	if wire.Unmarshal(text, &words) == nil {
		*i = infoText(words)
	}
	return nil
}

var (
	errCode      = errors.New("webhook: ErrorCode is not a whole number")
	errNoVerdict = errors.New("webhook: the back end's answer has no ErrorCode")
)

// judge reads the verdict (docs/protocol/webhooks.md#result-codes). A code that the interface gives no meaning is an
// error like any other senseless answer.
func (b Before[T]) judge(body []byte) (Answer, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")) // a byte order mark
	var head answerHead
	if err := wire.Unmarshal(body, &head); err != nil {
		return Answer{}, err
	}
	if !head.Code.given {
		return Answer{}, errNoVerdict
	}
	const refuse, silence = 1, 2
	switch code := head.Code.code; {
	case code == im.CodeOK:
		return Answer{raw: body}, nil
	case code == refuse:
		return Answer{Refused: true}, im.Errorf(b.spec.Refused, "the application's back end refused it")
	case code == silence && b.spec.MaySilence:
		return Answer{Silent: true}, nil
	case b.spec.Low <= code && code <= b.spec.High:
		return Answer{Refused: true}, im.Errorf(code, "%s", wire.Text(string(head.Info)))
	default:
		return Answer{}, fmt.Errorf("webhook: the back end answered with ErrorCode %d, which means nothing here", code)
	}
}
